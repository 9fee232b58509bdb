"""Neighbours of the cases: tables, text and MATLAB beside a photo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from tests.support.layouts import write_photo
from tests.support.siblings import Heads, check, read

SHAPES = "index,shape-type,vertex-index,axis-0,axis-1\n"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("x,y\r\n1,2\r\n", [(1, 2)]),
        ("x;y\n1;2\n", [(1, 2)]),
        ("x;y\n1,5;2,5\n", "decimals have a point"),
        ("x,y\n1,5,2,5\n", "expected 2 cells"),
        ("1;2\n3;4\n", [(1, 2), (3, 4)]),
        ("1,2,3,4\n", "4 columns without a header"),
        ("x,y,x\n1,2,3\n", "expected each column once"),
        ("X,Y,Class\n1,2,head\n", [(1, 2)]),
        ("x,y\n1_0,2\n", "two numbers x,y"),
        ("x,y,width,height\n1,2,400,300\n5,6,400,300\n", "2 of the photo's size, 400×300"),
        ("x,y\n1,inf\n", "finite coordinates"),
        ("x,y\n1,1e30\n", "finite coordinates"),
        ("index,axis-0,axis-1,axis-2\n0,1,2,3\n", "napari's points of a stack"),
        ("x,y\n1,2\n".encode("utf-16"), [(1, 2)]),
        ("x,y\n1,2\n".encode("utf-8-sig"), [(1, 2)]),
        (b"x,y\n1,2\xff\n", "Save it as UTF-8"),
        ("x,y\n1,2\n".encode("utf-16-le"), "perhaps UTF-16"),
        ('"x","y","note; more"\n1,2,z\n', [(1, 2)]),
        ("x,y,w,h\n1,2,3,4\n", "a box's corner or its centre"),
        ("x,y,x2,y2\n1,2,3,4\n", "a box's corner or its centre"),
        (" ,X,Y,Slice\n1,10,10,1\n2,11,15,1\n", [(10, 10), (11, 15)]),
        (" ,X,Y,Slice\n1,10,10,1\n2,11,15,2\n", "2 values of slice for one photo"),
        ("x,y\n0.5,0.5\n0.25,0.75\n", "shares of the photo's sides"),
        ("x,y\n0,0\n1,1\n", [(0, 0), (1, 1)]),
        (
            SHAPES + "0,rectangle,0,10,20\n0,rectangle,1,10,40\n0,rectangle,2,30,40\n0,rectangle,3,30,20\n"
            "1,ellipse,0,50,50\n1,ellipse,1,50,54\n1,ellipse,2,52,54\n1,ellipse,3,52,50\n",
            [(30, 20), (52, 51)],
        ),
        (SHAPES + "0,line,0,10,20\n0,line,1,10,40\n", "a line"),
    ],
)
def test_csv_beside_a_photo(tmp_path: Path, text: str | bytes, right: Heads | str) -> None:
    check(read(tmp_path, {"a.csv": text}), right)


@pytest.mark.parametrize(
    ("text", "names", "right"),
    [
        ("0 .5 .5 .1 .1\r\n", "", [(199.5, 149.5)]),
        ("0 .5 .5 .1 .1 .9\n", "", [(199.5, 149.5)]),
        ("0 .5 .5 .2 .4 0 0 0 .55 .35 2\n", "", [(219.5, 104.5)]),
        ("0 .5 .5 .2 .4 0 0 0 0 0 0\n", "", [(199.5, 149.5)]),
        ("0 .1 .1 .2 .1 .2 .2\n", "", [(59.5, 44.5)]),
        ("0 .5 .5 .2 .4 .52 .35 .55 .4\n", "kpt_shape: [2, 2]\n", [(207.5, 104.5)]),
        ("0 .5 .5 .2 .4 .52 .35 .9 .55 .4 .8\n", "kpt_shape:\n- 2\n- 3\n", [(207.5, 104.5)]),
        ("0 .5 .5 .2 .4 0 0 .55 .4\n", "kpt_shape: [2, 2]\n", [(219.5, 119.5)]),
        ("0 .5 .5 .2 .4 .5 .4 .6\n", "kpt_shape: [2, 2]\n", "expected lines of 9 numbers"),
        ("0 .5 .5 .2 .4 .52 .35 .55 .4\n", "", "poses with 2 numbers a key point or polygons"),
        ("0 .5 .5 .2 .4 .52 .35\n", "", "kpt_shape: [1, 2]"),
        ("0 .5 .5 .2 .4 .52 .35 .93 .55 .4 .8\n", "", "kpt_shape: [2, 3]"),
        ("0 .3 .3 .32 .31 .31 .33 .29 .32\n", "", [(121.5, 94)]),
        ("0 .3 .3 .32 .3 .33 .32 .31 .33 .29 .32\n", "", [(123.5, 94)]),
        ("-1 .5 .5 .1 .1\n", "", "a whole number of a class first in line 1"),
        (".5 .5 .1 .1 .1\n", "", "a whole number of a class first in line 1"),
        ("0 1.2 .5 .1 .1\n", "", "shares of the photo from 0 to 1 in line 1"),
        ("0 120 80 10 10\n", "", "Divide by the photo's width and height"),
        ("0 .5 .5 .1 .1\n1 .2 .2 .1 .1\n", "names: [head, car]", "several classes: head 1, car 1"),
        ("0 .5 .5 .1 .1\n1 .2 .2 .1 .1\n", "names:\n  0: head\n  1: car\n", "several classes: head 1, car 1"),
        ("0 .5 .5 .1 .1\n1 .2 .2 .1 .1\n", "names:\n- head\n- car\n", "several classes: head 1, car 1"),
    ],
)
def test_yolo(tmp_path: Path, text: str, names: str, right: Heads | str) -> None:
    files: dict[str, str | bytes] = {"a.txt": text}
    check(read(tmp_path, {**files, "data.yaml": names} if names else files), right)


def via(shape: dict[str, Any], *attributes: dict[str, Any]) -> str:
    regions = [{"shape_attributes": shape, "region_attributes": each} for each in attributes or ({},)]
    return json.dumps({"_via_img_metadata": {"a.jpg1": {"filename": "a.jpg", "regions": regions}}})


TURNED = "<robndbox><cx>20</cx><cy>30</cy><w>10</w><h>6</h><angle>0.5</angle></robndbox>"


VIA_HEAD = (
    "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
)


@pytest.mark.parametrize(
    ("name", "text", "right"),
    [
        ("via.json", via({"name": "circle", "cx": 50, "cy": 60, "r": 5}), [(49.5, 59.5)]),
        ("via.json", via({"name": "polygon", "all_points_x": [10, 20, 20], "all_points_y": [10, 10, 20]}), [(14.5, 14.5)]),
        ("via.json", via({"name": "polyline"}), "a polyline"),
        ("via.json", via({"name": "rect", "x": 1}), "expected y, width, height of a rect"),
        ("via.json", via({"name": "ellipse", "cx": 50, "cy": 60, "rx": 9, "ry": 5, "theta": 0.5}), [(49.5, 59.5)]),
        ("via.json", via({"name": "point", "cx": 5, "cy": 6}, {"kind": "head", "age": "old"}, {"kind": "car", "age": "old"}),
         "age=old+kind=head 1, age=old+kind=car 1"),
        ("via.csv", "# Exported using VGG Image Annotator\n", "VIA 3"),
        ("e.csv", "image,id,label,annotator\na.jpg,1,[],1\n", "Label Studio as CSV"),
        ("b.csv", "ImageID,LabelName,XMin,XMax,YMin,YMax\na,/m/1,.1,.2,.1,.2\n", "Open Images"),
        ("b.csv", "a.jpg,10,10,30,30,head\n", "boxes without a header"),
        ("via.csv", VIA_HEAD + 'a.jpg,1,{},1,0,"{""name"":""point"",""cx"":5,""cy"":6}",{}\n', [(5, 6)]),
        ("via.csv", VIA_HEAD + "a.jpg,1,{},0,0,{},{}\n", []),
        ("via.csv", VIA_HEAD + 'a.jpg,1,{},2,0,"{""name"":""point"",""cx"":5,""cy"":6}",{}\n', "2 regions of a.jpg"),
        ("via3.json", '{"project": {}, "config": {}, "metadata": {}, "view": {}, "file": {}}', "VIA 3"),
        ("labelbox.json", '[{"data_row": {}, "projects": {}}]', "Labelbox"),
        ("labels.csv", "head,10,10,20,20,a.jpg,400,300\n", [(19.5, 19.5)]),
        ("labels.csv", "head,10,10,a.jpg,400,300\nhead,x,10,a.jpg,400,300\n", "line 2"),
        ("a.json", '{"shapes": [{"points": [[10, 10], [13, 14]], "shape_type": "circle"}]}', [(9.5, 9.5)]),
        ("a.json", '{"shapes": [{"points": [[10, 10], [13, 14]], "shape_type": "line"}]}', "a line"),
        ("a.json", '{"shapes": [{"points": [[30, 30], [10, 10]], "shape_type": "rectangle"}]}', [(19.5, 19.5)]),
        ("a.json", '{"shapes": [{"points": [[10, 10], [30, 10], [30, 30], [10, 30]], "shape_type": "rotation"}]}', [(19.5, 19.5)]),
        ("a.json", '{"shapes": [{"points": [[10, 10], [20, 20]], "shape_type": "mask"}]}', [(15, 15)]),
        ("a.json", '{"shapes": [{"points": [[10, 10], [20, 20]], "shape_type": "linestrip"}]}', "a linestrip"),
        ("a.xml", f"<annotation><object><name>h</name>{TURNED}</object></annotation>", [(19.5, 29.5)]),
        ("a.xml", f"<annotation><object><name>person</name>{TURNED}<part><name>head</name>{TURNED}</part></object></annotation>",
         "several classes: person 1, head 1"),
        ("_annotations.csv", "filename,class,xmin,ymin,xmax,ymax\na.jpg,h,.1,.1,.3,.3\n", "shares of the photo's sides"),
        ("points.csv", "image,x,y,w,h\na.jpg,1,2,3,4\n", "a box's corner or its centre"),
        ("a.jpg.json", '{"size": {"width": 400, "height": 300}, "objects": [{"geometryType": "bitmap"}]}', "a bitmap"),
        ("notes.json", '{"a": 1}', {}),
    ],
)  # fmt: skip
def test_other_tools(tmp_path: Path, name: str, text: str, right: Heads | str | dict[str, Heads]) -> None:
    answer = read(tmp_path, {name: text})
    if isinstance(right, dict):
        assert "of no known kind: notes.json" in str(answer)
    else:
        check(answer, right)


@pytest.mark.parametrize(
    ("content", "right"),
    [
        ({"annPoints": np.array([[1.0, 2.0], [3.0, 4.0]])}, [(1, 2), (3, 4)]),
        ({"annPoints": np.zeros((0, 0))}, []),
        ({"image_info": {"location": np.array([[1.0, 2.0]]), "number": 1}}, [(1, 2)]),
        ({"mine": np.array([[1.0, 2.0], [3.0, 4.0]])}, [(1, 2), (3, 4)]),
        ({"one": np.ones((2, 2)), "two": np.ones((2, 2))}, "expected points in"),
        ({"annPoints": np.ones((2, 5))}, "2 heads, or 5 in columns"),
        ({"gt": np.ones((3, 4))}, "expected (n, 2) points"),
        (
            {"image_info": {"location": np.array([[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]), "number": 3}},
            [(1, 2), (3, 4), (5, 6)],
        ),
        ({"annPoints": np.array([[1.0, np.nan]])}, "NaN or infinity"),
        ({"text": "nothing"}, "expected points in"),
    ],
)
def test_mat_beside_a_photo(tmp_path: Path, content: dict[str, Any], right: Heads | str) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    savemat(tmp_path / "a.mat", content)
    check(read(tmp_path, {}), right)


def test_mat_of_version_4(tmp_path: Path) -> None:
    write_photo(tmp_path / "a.jpg", (400, 300))
    savemat(tmp_path / "a.mat", {"annPoints": np.array([[1.0, 2.0], [3.0, 4.0]])}, format="4")
    check(read(tmp_path, {}), [(1, 2), (3, 4)])
