import pytest
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from objectives.augment import erasing
from objectives.augment.images import augment, colours, move, normalize, placement, recolour
from objectives.augment.levels import LEVELS, Level
from objectives.data.pixels.normalization import Normalization

NORMALIZATION = Normalization((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
PLAIN = Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(images: int = 8, side: int = 24) -> Tensor:
    return torch.randint(0, 256, (images, 3, side, side), generator=generator(9)).to(torch.uint8)


def disc(images: int, side: int = 64) -> Tensor:
    """Draw white discs of a quarter of the side on black."""
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


@pytest.mark.parametrize("level", ["shift", "light", "medical", "strong"])
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


@pytest.mark.parametrize("level", LEVELS)
def test_the_global_random_state_is_left_alone(level: str) -> None:
    before = torch.random.get_rng_state()
    augment(noise(), generator(), level, NORMALIZATION)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("level", LEVELS)
def test_pixels_keep_their_bits_where_the_network_computes_in_bfloat16(level: str) -> None:
    plain = augment(noise(), generator(), level, NORMALIZATION)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(augment(noise(), generator(), level, NORMALIZATION), plain)


@pytest.mark.parametrize("level", ["shift", "light", "medical"])
def test_a_large_batch_is_augmented_as_its_images_would_be_in_one_pass(level: str) -> None:
    images = noise(64, 96)  # several times what is worked on at once
    draws = torch.rand((64, 9), generator=generator()) * 2 - 1
    moved = move(images.float() / 255, placement(LEVELS[level], draws[:, :6]))
    whole = torch.empty(images.shape)
    recolour(moved, *colours(LEVELS[level], draws[:, 6:], NORMALIZATION), out=whole)
    assert torch.allclose(augment(images, generator(), level, NORMALIZATION), whole, atol=1e-5)


def smooth(side: int = 64) -> Tensor:
    """Draw one colour image from 0 to 1 with soft shapes, of mid tones that no jitter clips."""
    small = torch.rand((1, 3, 8, 8), generator=generator(4)) * 0.5 + 0.25
    return torch.nn.functional.interpolate(small, side, mode="bicubic").clamp(0.2, 0.8)


@pytest.mark.parametrize("degrees", [-15.0, 7.0, 30.0])
def test_rotation_is_torchvisions(degrees: float) -> None:
    draws = torch.tensor([[1.0, 1.0, degrees / 30, 0.0, 0.0, 0.0]])
    turned = move(smooth(), placement(Level(rotation_degrees=30), draws))
    expected = F.rotate(smooth(), degrees, F.InterpolationMode.BILINEAR)
    inside = (..., slice(14, -14), slice(14, -14))  # the corners: mirrored here, black there
    assert torch.allclose(turned[inside], expected[inside], atol=1e-4)


def test_mirroring_is_torchvisions() -> None:
    both = Level(flip_x=True, flip_y=True)
    draws = torch.tensor([[-1.0, 1, 0, 0, 0, 0], [1, -1, 0, 0, 0, 0]])
    left_right, top_bottom = move(smooth().expand(2, -1, -1, -1), placement(both, draws))
    assert torch.allclose(left_right, F.horizontal_flip(smooth()), atol=1e-5)
    assert torch.allclose(top_bottom, F.vertical_flip(smooth()), atol=1e-5)


def test_a_shift_moves_the_image_by_its_share_of_the_side() -> None:
    draws = torch.tensor([[1.0, 1, 0, 1, -0.5, 0]])  # a quarter of 64 px right, an eighth up
    moved = move(smooth(), placement(Level(shift=0.25), draws))
    assert torch.allclose(moved[..., 8:, :-16], smooth()[..., :-8, 16:], atol=1e-5)


def recoloured(level: Level, draws: list[float], normalization: Normalization) -> Tensor:
    out = torch.empty(smooth().shape)
    recolour(smooth(), *colours(level, torch.tensor([draws]), normalization), out=out)
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in vars(normalization).values())
    return out * std + mean


def test_brightness_and_saturation_are_torchvisions() -> None:
    level = Level(brightness=0.2, saturation=0.2)
    brighter = recoloured(level, [1.0, 0.0, 0.0], PLAIN)
    paler = recoloured(level, [0.0, 0.0, -0.5], NORMALIZATION)
    assert torch.allclose(brighter, F.adjust_brightness(smooth(), 1.2), atol=1e-5)
    assert torch.allclose(paler, F.adjust_saturation(smooth(), 0.9), atol=1e-4)


def test_contrast_is_torchvisions_but_around_the_mean_of_the_normalization() -> None:
    own_mean = F.rgb_to_grayscale(smooth()).mean().item()
    around = Normalization((own_mean,) * 3, (0.2, 0.25, 0.3))
    flatter = recoloured(Level(contrast=0.2), [0.0, -1.0, 0.0], around)
    assert torch.allclose(flatter, F.adjust_contrast(smooth(), 0.8), atol=1e-4)


def test_level_medical_mirrors_left_to_right_only() -> None:
    upper = torch.zeros((64, 3, 32, 32), dtype=torch.uint8)
    upper[..., :16, :] = 255
    augmented = augment(upper, generator(), "medical", PLAIN)
    assert (augmented[..., :16, :].mean((1, 2, 3)) > augmented[..., 16:, :].mean((1, 2, 3))).all()
    assert 16 < is_left_brighter("medical").sum() < 48


def test_level_strong_erases_to_the_mean_colour_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(erasing, "PROBABILITY", 0.0)
    whole = augment(noise(), generator(), "strong", NORMALIZATION)
    monkeypatch.setattr(erasing, "PROBABILITY", 1.0)
    erased = augment(noise(), generator(), "strong", NORMALIZATION)
    changed = erased != whole
    assert changed.flatten(1).any(1).all()
    assert (erased[changed] == 0).all()


@pytest.mark.gpu
@pytest.mark.parametrize("level", LEVELS)
def test_a_gpu_draws_the_same_from_a_cpu_generator(level: str) -> None:
    on_cpu = augment(noise(), generator(), level, NORMALIZATION)
    on_gpu = augment(noise().cuda(), generator(), level, NORMALIZATION)
    assert torch.allclose(on_gpu.cpu(), on_cpu, atol=1e-3)
