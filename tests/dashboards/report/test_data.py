"""The counts of a manifest."""

from dashboards.report.data import data_facts

HEAD = "path,label,class_index,group,site,split,fold,sha1\r\n"


def test_images_and_groups_are_counted_by_class_and_split() -> None:
    rows = ("1,b,1,p1,,train,0,", "2,b,1,p1,,train,0,", "3,a,0,p2,,val,0,", "4,a,0,p3,,excluded,0,")
    facts = data_facts(HEAD + "\r\n".join(rows))
    assert facts is not None
    assert [each.name for each in facts.classes] == ["a", "b"]
    assert facts.splits == ["train", "val"]
    assert facts.images == {"train": 2, "val": 1}
    assert facts.groups == {"train": 1, "val": 1}
    assert facts.classes[1].groups == {"train": 1, "val": 0}
    assert facts.has_groups
    assert facts.are_apart


def test_a_group_in_two_splits_or_folds_is_found() -> None:
    for rows in (
        ("1,a,0,p,,train,0,", "2,a,0,p,,val,0,"),
        ("1,a,0,p,,train,1,", "2,a,0,p,,train,2,"),
    ):
        facts = data_facts(HEAD + "\r\n".join(rows))
        assert facts is not None
        assert not facts.are_apart


def test_a_study_without_data_has_none() -> None:
    assert data_facts(None) is None
