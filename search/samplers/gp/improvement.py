"""The expected improvement over the best score, as a logarithm.

log EI = log sd + log h(z),   h(z) = phi(z) + z Phi(z),   z = (mean - best) / sd

Jones et al. 1998; the logarithm without cancellation is that of Ament et al. 2023,
arXiv:2310.20708, eq. 9.
"""

import math

import numpy as np
from scipy.special import erfcx, log_ndtr

from search.samplers.observed import Floats

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)
# From here on the terms of h(z) cancel in all digits, and its asymptotic series, log phi(z) -
# 2 log |z|, is exact to 8 digits.
FAR, NEAR = -1e4, -1.0


def log_improvement(mean: Floats, deviation: Floats, best: float) -> Floats:
    """Compute log EI: (m,)."""
    improvement: Floats = np.log(deviation) + log_h((mean - best) / deviation)
    return improvement


def log_improvement_slopes(
    mean: Floats, deviation: Floats, best: float
) -> tuple[Floats, Floats, Floats]:
    """Compute log EI and its derivatives by mean and by deviation: (m,) each.

    dEI / dmean = Phi(z), dEI / dsd = phi(z)
    """
    z = (mean - best) / deviation
    log_ei: Floats = np.log(deviation) + log_h(z)
    by_mean, by_deviation = log_ndtr(z) - log_ei, -0.5 * z * z - HALF_LOG_2PI - log_ei
    return log_ei, np.exp(by_mean), np.exp(by_deviation)


def log_h(z: Floats) -> Floats:
    """Compute log(phi(z) + z Phi(z))."""
    log_phi = -0.5 * z * z - HALF_LOG_2PI
    near = np.maximum(z, NEAR)
    middle = np.clip(z, FAR, NEAR)
    # Phi(z) / phi(z) = sqrt(pi / 2) erfcx(-z / sqrt 2)
    ratio = math.sqrt(math.pi / 2) * erfcx(-middle / math.sqrt(2))
    return np.where(
        z > NEAR,
        np.log(np.exp(-0.5 * near * near - HALF_LOG_2PI) + near * np.exp(log_ndtr(near))),
        log_phi + np.where(z > FAR, np.log1p(middle * ratio), -2 * np.log(np.maximum(-z, 1))),
    )
