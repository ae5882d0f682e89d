import pytest
import torch
from torch import Tensor

from objectives.data.augment import LEVELS, augment, normalize
from objectives.data.normalization import Normalization

NORMALIZATION = Normalization((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
PLAIN = Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(images: int = 8, side: int = 24) -> Tensor:
    return torch.randint(0, 256, (images, 3, side, side), generator=generator(9)).to(torch.uint8)


def disc(images: int, side: int = 64) -> Tensor:
    """Give white discs of a quarter of the side on black."""
    axis = torch.arange(side) - (side - 1) / 2
    inside = axis[:, None] ** 2 + axis**2 < (side / 4) ** 2
    return (inside * 255).to(torch.uint8).expand(images, 3, -1, -1)


def test_normalizing_subtracts_the_mean_in_units_of_the_deviation() -> None:
    batch = torch.tensor([0, 255, 51], dtype=torch.uint8).view(1, 3, 1, 1)
    expected = [(0 - 0.5) / 0.2, (1 - 0.4) / 0.25, (0.2 - 0.3) / 0.3]
    assert normalize(batch, NORMALIZATION).flatten().tolist() == pytest.approx(expected)


def test_level_none_only_normalizes() -> None:
    augmented = augment(noise(), generator(), "none", NORMALIZATION)
    assert torch.equal(augmented, normalize(noise(), NORMALIZATION))


@pytest.mark.parametrize("level", LEVELS)
def test_the_generator_alone_decides(level: str) -> None:
    first = augment(noise(), generator(3), level, NORMALIZATION)
    torch.manual_seed(1)
    assert torch.equal(first, augment(noise(), generator(3), level, NORMALIZATION))
    assert first.dtype == torch.float32
    assert first.shape == noise().shape


@pytest.mark.parametrize("level", ["shift", "light"])
def test_each_image_of_a_batch_has_its_own_draw(level: str) -> None:
    same = noise(1).expand(8, -1, -1, -1)
    augmented = augment(same, generator(), level, NORMALIZATION)
    assert len({image.sum().item() for image in augmented}) == 8


def is_left_brighter(level: str) -> Tensor:
    batch = torch.zeros((64, 3, 32, 32), dtype=torch.uint8)
    batch[..., :16] = 255
    augmented = augment(batch, generator(), level, PLAIN)
    return augmented[..., :16].mean((1, 2, 3)) > augmented[..., 16:].mean((1, 2, 3))


def test_level_shift_never_mirrors() -> None:
    assert is_left_brighter("shift").all()


def test_level_light_mirrors_half_of_the_time() -> None:
    assert 16 < is_left_brighter("light").sum() < 48


@pytest.mark.parametrize("level", ["shift", "light"])
def test_a_disc_stays_a_disc_of_about_its_size(level: str) -> None:
    images = augment(disc(64), generator(), level, PLAIN).mean(1).clamp(min=0)
    axis = torch.arange(64.0)
    mass = images.sum((1, 2))
    rows, columns = images.sum(2), images.sum(1)
    spreads = []
    for profile in (rows, columns):
        centre = (profile * axis).sum(1, keepdim=True) / mass[:, None]
        spreads.append(((profile * (axis - centre) ** 2).sum(1) / mass).sqrt())
    assert (spreads[0] / spreads[1]).sub(1).abs().max() < 0.05
    assert spreads[0].sub(8).abs().max() < 1.2  # radius 16: deviation 8, zoomed by 10 % at most


def test_level_light_changes_colours_by_its_bounds_at_most() -> None:
    grey = torch.full((64, 3, 8, 8), 128, dtype=torch.uint8)
    brightness = augment(grey, generator(), "light", PLAIN).mean((1, 2, 3)) / (128 / 255)
    # Brightness and, about a mean of 0, contrast: 15 % either way each.
    assert 0.85**2 <= brightness.min() < 0.95
    assert 1.05 < brightness.max() <= 1.15**2


def test_a_grey_image_stays_grey() -> None:
    grey = torch.full((16, 3, 8, 8), 90, dtype=torch.uint8)
    augmented = augment(grey, generator(), "light", PLAIN)
    assert torch.allclose(augmented[:, 0], augmented[:, 2], atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("level", LEVELS)
def test_a_gpu_draws_the_same_from_a_cpu_generator(level: str) -> None:
    on_cpu = augment(noise(), generator(), level, NORMALIZATION)
    on_gpu = augment(noise().cuda(), generator(), level, NORMALIZATION)
    assert torch.allclose(on_gpu.cpu(), on_cpu, atol=1e-3)
