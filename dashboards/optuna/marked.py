"""Studies as optuna-dashboard shows them: practice data is said in the name."""

from storage.engine.reading import ReadingStorage
from storage.optuna_inside import FrozenStudy

PRACTICE = "practice data"  # the attribute of a study that runs on generated images
PRACTICE_MEANING = "generated images; these results say nothing about real ones"


class MarkedStorage(ReadingStorage):
    """The storage for readers, with "Practice data" before the names that are shown.

    The name stands above every page of a study and in the list of studies, and its front is not
    cut off on a narrow screen. Pages find studies by their ids, so that the mark breaks no link.
    """

    def get_all_studies(self) -> list[FrozenStudy]:
        """Read every study, oldest first, with its shown name."""
        studies = super().get_all_studies()
        for study in studies:
            if PRACTICE in study.user_attrs:
                study.study_name = f"Practice data · {study.study_name}"
        return studies
