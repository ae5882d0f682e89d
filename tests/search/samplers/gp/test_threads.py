"""The number of threads changes no draw."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]


def test_threads_of_blas_change_no_draw() -> None:
    program = """if True:
        import numpy as np
        from optuna.distributions import FloatDistribution
        from search.samplers.gp.model import GP
        from search.samplers.model import DrawRequest
        from search.samplers.searched import Searched

        class Trials:
            direction, count = 1, 150
            states, values = np.ones(150, np.uint8), np.sin(np.arange(150.0))
            last_steps, last_values = np.full(150, -1), np.full(150, np.nan)
            violations, ways = np.zeros(150), np.zeros(150, np.uint8)

            def column(self, name, distribution):
                return np.random.default_rng(int(name[1:])).random(150)

        space = Searched({f"x{at}": FloatDistribution(0.0, 1.0) for at in range(6)})
        asked = DrawRequest(observed=Trials(), searched=space, number=150, seed=1)
        drawn = GP(asked).draw({})
        print([value.hex() for value in drawn.values()])
    """
    drawn = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0].count("0x1.") == 6
