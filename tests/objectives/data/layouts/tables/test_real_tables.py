"""Small trees with the headers, names and oddities of public data sets, read as downloaded."""

from collections import Counter
from pathlib import Path

from objectives.data.layouts.listing import Column, Listing
from spaces.data import Table
from tests.objectives.conftest import write_image
from tests.objectives.data.layouts.tables.tables import read, write_csv, write_xlsx
from tests.objectives.data.left_out import numbers


def labels(listing: Listing) -> Counter[str]:
    return Counter(each.label for each in listing.found)


def groups(listing: Listing) -> dict[str, int]:
    return dict(Counter(each.group for each in listing.found))


# HAM10000: two folders of images, ids without extension, several images of a lesion.
HAM = Table(
    "HAM10000_metadata.csv",
    path="image_id",
    label="dx",
    group="lesion_id",
    metadata={"age": "number", "sex": "category", "localization": "category"},
)


def ham(folder: Path) -> Listing:
    write_csv(
        folder / "HAM10000_metadata.csv",
        "lesion_id,image_id,dx,dx_type,age,sex,localization",
        "HAM_0000118,ISIC_0027419,bkl,histo,80.0,male,scalp",
        "HAM_0000118,ISIC_0025030,bkl,histo,80.0,male,scalp",
        "HAM_0001466,ISIC_0031633,nv,follow_up,,unknown,ear",
        "HAM_0002761,ISIC_0029176,mel,histo,60.0,female,unknown",
    )
    for part, names in ((1, ("0027419", "0025030")), (2, ("0031633", "0029176"))):
        for name in names:
            write_image(folder / f"HAM10000_images_part_{part}" / f"ISIC_{name}.jpg")
    write_image(folder / "HAM10000_segmentations_lesion_tschandl/ISIC_0027419_segmentation.png")
    return read(folder, HAM)


def test_ham10000_reads_from_both_folders_with_lesions_as_groups(tmp_path: Path) -> None:
    listing = ham(tmp_path)
    assert listing.classes == ("bkl", "mel", "nv")
    assert labels(listing) == {"bkl": 2, "mel": 1, "nv": 1}
    assert groups(listing) == {"HAM_0000118": 2, "HAM_0001466": 1, "HAM_0002761": 1}
    assert listing.found[0].file.path == "HAM10000_images_part_1/ISIC_0025030.jpg"
    assert not listing.problems


def test_ham10000s_metadata_is_typed_and_unknown_is_missing(tmp_path: Path) -> None:
    listing = ham(tmp_path)
    assert listing.columns == (
        Column("age", "number"),
        Column("localization", "category"),
        Column("sex", "category"),
    )
    by_path = {each.file.path[-16:-4]: each.metadata for each in listing.found}
    assert by_path["ISIC_0025030"] == (80.0, "scalp", "male")
    assert by_path["ISIC_0031633"] == (None, "ear", None)


# ISIC 2019: one-hot truth, metadata in a second table, lesions that are not always known.
ISIC = Table(
    "ISIC_2019_Training_GroundTruth.csv",
    path="ISIC_2019_Training_Input/{image}",
    one_hot=("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK"),
    group="lesion_id",
    join=("ISIC_2019_Training_Metadata.csv",),
    metadata={"age_approx": "number"},
)


def test_isic_2019_reads_one_hot_labels_and_joined_lesions(tmp_path: Path) -> None:
    truth = "0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0", "1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0"
    names = ("ISIC_0000000", "ISIC_0000001", "ISIC_0000002", "ISIC_0000004_downsampled")
    rows = [f"{name},{truth[row == 2]}" for row, name in enumerate(names)]
    header = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
    write_csv(tmp_path / "ISIC_2019_Training_GroundTruth.csv", header, *rows)
    write_csv(
        tmp_path / "ISIC_2019_Training_Metadata.csv",
        "image,age_approx,anatom_site_general,lesion_id,sex",
        "ISIC_0000000,55.0,anterior torso,,female",
        "ISIC_0000001,30.0,,BCN_0000004,female",
        "ISIC_0000002,,upper extremity,BCN_0000004,",
        "ISIC_0000004_downsampled,80.0,,,male",
    )
    for name in names:
        write_image(tmp_path / "ISIC_2019_Training_Input" / f"{name}.jpg")
    listing = read(tmp_path, ISIC)
    assert listing.classes == ("MEL", "NV")
    assert labels(listing) == {"NV": 3, "MEL": 1}
    assert groups(listing)["BCN_0000004"] == 2
    assert len(groups(listing)) == 3
    assert [each.metadata for each in listing.found] == [(55.0,), (30.0,), (None,), (80.0,)]
    assert not listing.problems


# SICAPv2: a sheet per split, classes one-hot, the slide in the patch's name, masks beside images.
SICAP = Table(
    {"train": "partition/Test/Train.xlsx", "test": "partition/Test/Test.xlsx"},
    path="images/{image_name}",
    one_hot=("NC", "G3", "G4", "G5"),
    group="image_name",
    group_pattern=r"^(.+?)_Block",
)


def sicap(folder: Path) -> Listing:
    def patch(slide: str, number: int) -> str:
        return f"{slide}_Block_Region_{number}_0_0_xini_6803_yini_59786.jpg"

    header = ("image_name", "NC", "G3", "G4", "G5", "G4C")
    train = [(patch("16B0001851", 1), 1, 0, 0, 0, 0), (patch("16B0001851", 2), 0, 1, 0, 0, 0)]
    train += [(patch("16B0003388", 1), 0, 0, 1, 0, 1), (patch("16B0003388", 2), 0, 0, 0, 1, 0)]
    test = [(patch("18B0006623A", 1), 1, 0, 0, 0, 0)]
    write_xlsx(folder / "partition" / "Test" / "Train.xlsx", header, *train)
    write_xlsx(folder / "partition" / "Test" / "Test.xlsx", header, *test)
    for name in (*(row[0] for row in (*train, *test)), patch("17B00208689", 0)):
        write_image(folder / "images" / str(name))
        write_image(folder / "masks" / str(name).replace(".jpg", ".png"))
    return read(folder, SICAP)


def test_sicapv2_reads_a_sheet_per_split_with_slides_as_groups(tmp_path: Path) -> None:
    listing = sicap(tmp_path)
    assert listing.classes == ("NC", "G3", "G4", "G5")
    assert labels(listing) == {"NC": 2, "G3": 1, "G4": 1, "G5": 1}
    assert groups(listing) == {"16B0001851": 2, "16B0003388": 2, "18B0006623A": 1}
    assert Counter(each.split for each in listing.found) == {"train": 4, "test": 1}


def test_sicapv2s_unlisted_patches_are_counted_and_named_its_masks_are_not(tmp_path: Path) -> None:
    listing = sicap(tmp_path)
    assert numbers(listing.left_out) == {"not in the table": 1}
    (problem,) = listing.problems
    assert (problem.rule, problem.level) == ("C04", "error")
    assert problem.paths == ("images/17B00208689_Block_Region_0_0_0_xini_6803_yini_59786.jpg",)


# SCIN: signed ids of 19 digits, up to three images of a case, labels as a weighted dictionary.
SCIN = Table(
    "dataset/scin_cases.csv",
    path=("image_1_path", "image_2_path", "image_3_path"),
    label="weighted_skin_condition_label",
    label_pattern=r"""^\{['"](.+?)['"]: """,
    group="case_id",
    join=("dataset/scin_labels.csv",),
    metadata={"age_group": "category", "fitzpatrick_skin_type": "category"},
)


def scin(folder: Path) -> Listing:
    # As floats the first two are one: both are -4.97e18 to 16 digits.
    cases = ("-4970266589287250123", "-4970266589287250124", "8012345678901234567", "77")
    images = [("-1001", "-1002", "1003"), ("1004", "", ""), ("-1005", "1006", ""), ("1007", "", "")]
    write_csv(
        folder / "dataset" / "scin_cases.csv",
        "case_id,source,release,year,age_group,sex_at_birth,fitzpatrick_skin_type,"
        "image_1_path,image_2_path,image_3_path,image_1_shot_type",
        *(
            f"{case},SCIN,1.0.0,2023,AGE_30_TO_39,FEMALE,FST2,"
            + ",".join(f"dataset/images/{name}.png" if name else "" for name in names)
            + ",CLOSE_UP"
            for case, names in zip(cases, images, strict=True)
        ),
    )
    label = (
        "\"{'Eczema': 0.6, 'Urticaria': 0.4}\"",
        "{'Urticaria': 1.0}",
        "\"{'Eczema': 0.5, 'Tinea': 0.5}\"",
        "{}",
    )
    write_csv(
        folder / "dataset" / "scin_labels.csv",
        "case_id,dermatologist_gradable_for_skin_condition_1,weighted_skin_condition_label",
        *(f"{case},DEFAULT_YES,{text}" for case, text in zip(cases, label, strict=True)),
    )
    for name in (name for names in images for name in names if name):
        write_image(folder / "dataset" / "images" / f"{name}.png")
    return read(folder, SCIN)


def test_scins_19_digit_cases_do_not_merge_and_keep_their_images(tmp_path: Path) -> None:
    listing = scin(tmp_path)
    assert groups(listing) == {
        "-4970266589287250123": 3,
        "-4970266589287250124": 1,
        "8012345678901234567": 2,
    }
    assert not listing.problems


def test_scins_label_is_the_condition_of_the_largest_weight(tmp_path: Path) -> None:
    listing = scin(tmp_path)
    assert labels(listing) == {"Eczema": 5, "Urticaria": 1}
    assert numbers(listing.left_out) == {"without a label in the table": 1}
    assert listing.found[0].metadata == ("AGE_30_TO_39", "FST2")


def test_scin_reads_alike_where_its_dataset_folder_is_given(tmp_path: Path) -> None:
    whole = scin(tmp_path)
    inside = Table(
        "scin_cases.csv",
        path=SCIN.path,
        label=SCIN.label,
        label_pattern=SCIN.label_pattern,
        group=SCIN.group,
        join=("scin_labels.csv",),
    )
    assert groups(read(tmp_path / "dataset", inside)) == groups(whole)


# PAD-UFES-20: three folders, image names with their extension, `fitspatrick`, UNK for unknown.
PAD = Table(
    "metadata.csv",
    path="img_id",
    label="diagnostic",
    group="patient_id",
    metadata={"age": "number", "fitspatrick": "number", "smoke": "category", "grew": "category"},
)


def test_pad_ufes_20_reads_patients_and_typed_metadata(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "metadata.csv",
        "patient_id,lesion_id,smoke,drink,background_father,background_mother,age,pesticide,gender,"
        "skin_cancer_history,cancer_history,has_piped_water,has_sewage_system,fitspatrick,region,"
        "diameter_1,diameter_2,diagnostic,itch,grew,hurt,changed,bleed,elevation,img_id,biopsed",
        "PAT_1516,1765,,,,,8,,,,,,,,ARM,,,NEV,False,False,False,False,False,False,"
        "PAT_1516_1765_530.png,False",
        "PAT_46,881,False,False,POMERANIA,POMERANIA,55,False,FEMALE,True,True,True,True,3.0,NECK,"
        "6.0,5.0,BCC,True,True,False,True,True,True,PAT_46_881_939.png,True",
        "PAT_46,882,False,False,POMERANIA,POMERANIA,55,False,FEMALE,True,True,True,True,3.0,FACE,"
        "5.0,5.0,ACK,True,UNK,False,True,True,True,PAT_46_882_940.png,True",
    )
    for part, name in enumerate(("PAT_1516_1765_530", "PAT_46_881_939", "PAT_46_882_940"), 1):
        write_image(tmp_path / "images" / f"imgs_part_{part}" / f"{name}.png")
    listing = read(tmp_path, PAD)
    assert listing.classes == ("ACK", "BCC", "NEV")
    assert groups(listing) == {"PAT_1516": 1, "PAT_46": 2}
    assert [each.name for each in listing.columns] == ["age", "fitspatrick", "grew", "smoke"]
    assert [each.metadata for each in listing.found] == [
        (8.0, None, "False", None),
        (55.0, 3.0, "True", "False"),
        (55.0, 3.0, None, "False"),
    ]
    assert not listing.problems


# Eyes-Defy-Anemia: a sheet per country, photos in numbered folders, decimal commas.
EYES = Table(
    ("India/India.xlsx", "Italy/Italy.xlsx"),
    path="{table}/{Number}/*[0-9]_palpebral.png",
    label="Hgb",
    cuts=(12.0,),
    names={"<12": "anemic", ">=12": "healthy"},
    group="{table}/{Number}",
    site="table",
    metadata={"Age": "number", "Gender": "category"},
)


def eyes(folder: Path) -> Listing:
    header = ("Number", "Hgb", "Gender", "Age", "Note")
    write_xlsx(folder / "India" / "India.xlsx", header, (1, 11.3, "F", 24, None), (2, 14, "M", 31))
    write_xlsx(folder / "Italy" / "Italy.xlsx", header, (1, "9,7", "F", 60), (2, "12,0", "M", 44))
    for country in ("India", "Italy"):
        for number in ("1", "2"):
            photo = folder / country / number / f"2020011{number}_164733"
            for kind in ("", "_palpebral", "_forniceal", "_forniceal_palpebral"):
                write_image(photo.with_name(photo.name + kind + (".png" if kind else ".jpg")))
    return read(folder, EYES)


def test_eyes_defy_anemia_cuts_haemoglobin_and_keeps_its_countries_apart(tmp_path: Path) -> None:
    listing = eyes(tmp_path)
    assert listing.classes == ("anemic", "healthy")
    assert {each.group: each.label for each in listing.found} == {
        "India/1": "anemic",
        "India/2": "healthy",
        "Italy/1": "anemic",
        "Italy/2": "healthy",
    }
    assert [each.site for each in listing.found] == ["India", "India", "Italy", "Italy"]
    assert listing.found[0].file.path == "India/1/20200111_164733_palpebral.png"
    assert listing.found[0].metadata == (24.0, "F")


def test_eyes_defy_anemias_decimal_commas_are_read_and_named(tmp_path: Path) -> None:
    (problem,) = eyes(tmp_path).problems
    assert (problem.rule, problem.level) == ("C13", "error")
    assert problem.message.startswith(
        "column 'Hgb': 2 of 4 cells, for example '9,7' (Italy/Italy.xlsx row 2), are numbers"
    )
