"""Rows of the table of cases: an input, the photos that are drawn beside it, and the right answer."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ROWS", "Answer", "Row"]

Heads = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class Answer:
    """A refusal, or a warning, by a part of its sentence."""

    sentence: str


@dataclass(frozen=True)
class Row:
    """One input."""

    name: str
    photos: tuple[str, ...]
    """Photos of 400×300 px that are drawn in the input's folder."""
    right: Heads | Answer
    """Heads by sample, or the refusal."""
    note: str = ""
    """Part of a sentence that must be given beside the heads."""
    source: str = "{root}"
    classes: tuple[str, ...] = ()
    check: str | None = None
    """Part of a sentence of ``data check``; empty: nothing is wrong."""


IMG = ("IMG_1.jpg",)
A = ("a.jpg",)
THREE = [(50, 60), (80, 60), (120, 200)]
BOX = [(19.5, 19.5)]
KEYPOINT = [(39.5, 29.5)]
SHA = "sha/train:{root}"
SHA_PHOTO = ("part_A/train_data/images/IMG_1.jpg",)

ROWS = (
    Row("ls_rotated_rectangle", IMG, {"IMG_1": [(179.5, 159.5), (259.5, 119.5)]}, check=""),
    Row("ls_local_files", ("a.jpg", "b.jpg"), {"a": KEYPOINT, "b": [(79.5, 59.5), (119.5, 89.5)]}, check=""),
    Row("ls_local_files_one", A, {"a": KEYPOINT}, check=""),
    Row("ls_exported_photo_keeps_hash", ("0a1b2c3d-IMG_1.jpg",), {"0a1b2c3d-IMG_1": KEYPOINT}, check=""),
    Row("ls_choices_with_points", IMG, {"IMG_1": KEYPOINT}, check=""),
    Row("ls_unlabelled_regions", IMG, {"IMG_1": KEYPOINT}, check=""),
    Row("ls_data_other_key_first", A, {"a": [(3.5, 2.5)]}, check=""),
    Row("ls_old_completions", IMG, {"IMG_1": KEYPOINT}, check=""),
    Row("ls_json_min", IMG, {"IMG_1": KEYPOINT}, check=""),
    Row("ls_predictions_only", IMG, Answer("holds predictions of a model"), check="predictions of a model"),
    Row("ls_photo_resized_later", IMG, {"IMG_1": KEYPOINT}, "Scaled by 0.25", check="Scaled by 0.25"),
    Row("ls_ellipse_and_kp", IMG, {"IMG_1": [(199.5, 149.5)]}),
    Row("ls_kp_and_rect", IMG, {"IMG_1": [(39.5, 29.5), (89.5, 67)]}),
    Row("coco_keypoint_v0", IMG, {"IMG_1": [(110, 105), (220, 110)]}, check=""),
    Row("coco_iscrowd", IMG, {"IMG_1": BOX}, "1 crowd region", check="1 crowd region"),
    Row("coco_duplicate_file_name", IMG, Answer("IMG_1.jpg as image 1 and 2"), check="as image 1 and 2"),
    Row("coco_resized_photo", IMG, {"IMG_1": [(34.5, 34.5)]}, "1600×1200", check="1600×1200"),
    Row("coco_image_id_strings", IMG, {"IMG_1": BOX}, check=""),
    Row("coco_rle_no_bbox", IMG, {"IMG_1": [(10.5, 9.5)]}, check=""),
    Row("coco_polygon_no_bbox", IMG, {"IMG_1": BOX}),
    Row("coco_tiny_negative_box", IMG, Answer("boxes with a width and a height")),
    Row("coco_windows_path2", IMG, {"IMG_1": BOX}, check=""),
    Row("coco_roboflow_renamed", IMG, {"IMG_1": BOX}, check=""),
    Row("coco_annotations_folder", ("images/a.jpg",), {"images/a": BOX}, check=""),
    Row("coco_two_classes", IMG, Answer("several classes: car 2, person 1"), check="several classes"),
    Row("coco_two_classes", IMG, {"IMG_1": BOX}, classes=("person",), check=""),
    Row("yolo_roboflow_layout", ("train/images/a.jpg", "valid/images/b.jpg"),
        {"train/images/a": [(199.5, 149.5)], "valid/images/b": [(199.5, 149.5)]}, check=""),
    Row("supervisely_points", ("ds0/img/a.jpg",), {"ds0/img/a": [(50, 60)]}, check=""),
    Row("via_points_json", A, {"a": [(50, 60)]}, check=""),
    Row("cvat_video_tracks", ("frame_000000.jpg", "frame_000001.jpg", "frame_000002.jpg"),
        {"frame_000000": BOX, "frame_000001": [(21.5, 19.5), (100.5, 50.5)], "frame_000002": []}, check=""),
    Row("cvat_skeleton", IMG, {"IMG_1": [(50, 50)]}),
    Row("cvat_ellipse", IMG, {"IMG_1": [(49.5, 59.5)]}),
    Row("cvat_points_and_box", IMG, Answer("several classes: head 1, car 1")),
    Row("cvat_points_and_roi_polygon", IMG, {"IMG_1": [(5, 5)]}, classes=("head",)),
    Row("cvat_deleted_frame_missing_photo", IMG, Answer("IMG_2.jpg")),
    Row("labelme_points", A, {"a": [(50.5, 60.25), (80, 60)]}, check=""),
    Row("makesense_points_csv", A, {"a": [(50, 60), (80, 60)]}, check=""),
    Row("napari_points_csv", A, {"a": [(50, 60), (80, 60)]}, check=""),
    Row("dotdotgoose", A, {"a": [(50, 60), (80, 60)]}, check=""),
    Row("roboflow_tensorflow_csv", A, {"a": [(49.5, 59.5)]}, check=""),
    Row("folder_mat_beside", A, {"a": THREE}, check=""),
    Row("csv_extra_cols_no_header", A, Answer("3 columns without a header"), check="3 columns"),
    Row("table_nfd_name", ("Café_Tür.jpg",), {"Café_Tür": [(50, 60)]}, check=""),
    Row("table_filename_column", A, {"a": [(50, 60)]}, check=""),
    Row("applefiles", A, {"a": [(50, 60)]}, check=""),
    Row("voc_orphan_xml", A, {"a": [(39.5, 39.5)]}, check="deleted_photo.xml"),
    Row("voc_swapped_corners", A, Answer("boxes with a width and a height")),
    Row("yolo_slightly_over", A, {"a": [(121.1, 149.6)]}, check=""),
    Row("yolo_pose", A, {"a": [(179.5, 104.5)]}, check=""),
    Row("yolo_track_id", A, {"a": [(199.5, 149.5)]}, check=""),
    Row("yolo_seg", A, {"a": [(59.5, 44.5)]}, check=""),
    Row("yolo_seg_mixed", A, {"a": [(199.5, 149.5), (59.5, 44.5)]}, check=""),
    Row("yolo_obb", A, Answer("several classes: 0 1, 1 1"), check="several classes"),
    Row("yolo_obb", A, {"a": [(59.5, 44.5)]}, classes=("0",), check=""),
    Row("yolo_background_images", ("images/a.jpg",), {"images/a": [(199.5, 149.5)]}),
    Row("sha_mat_struct", SHA_PHOTO, {"IMG_1": THREE}, source=SHA),
    Row("sha_mat_plain_points", SHA_PHOTO, {"IMG_1": THREE}, source=SHA),
    Row("sha_mat_transposed", SHA_PHOTO, {"IMG_1": THREE}, source=SHA),
    Row("qnrf_mat_v73", ("Train/img_0001.jpg",), {"img_0001": THREE}, source="qnrf/train:{root}"),
    Row("qnrf_upper_suffix", ("Train/img_0001.JPG",), {"img_0001": THREE}, source="qnrf/train:{root}"),
    Row("jhu_nan", ("train/images/0001.jpg",), Answer("0001.txt"), source="jhu/train:{root}"),
    Row("jhu_label_scene_with_comma", ("train/images/0001.jpg",), {"0001": [(50, 60)]}, source="jhu/train:{root}"),
    Row("nwpu_zero_box", ("images/0001.jpg",), {"0001": [(50, 60), (80, 60)]}, source="nwpu/train:{root}"),
    Row("nwpu_list_jpg", ("images/0001.jpg",), {"0001": [(50, 60)]}, source="nwpu/train:{root}"),
)  # fmt: skip
