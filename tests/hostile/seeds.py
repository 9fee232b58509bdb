"""A sound file of each format, small, as the seed of damaged ones."""

from __future__ import annotations

import io
import json
from importlib.resources import files

import numpy as np
from scipy.io import savemat

__all__ = ["BINARY", "DESCRIPTION", "INDEX", "POINT_FILES", "TEXTS", "ZONES"]

COCO = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48, "extra": {"name": "a.jpg"}}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [10, 10, 20, 20]},
        {"id": 2, "image_id": 1, "category_id": 1, "keypoints": [0, 0, 0, 40, 40, 2]},
        {"id": 3, "image_id": 1, "category_id": 1, "segmentation": [[1, 2, 9, 2, 9, 8]]},
        {
            "id": 4,
            "image_id": 1,
            "category_id": 1,
            "segmentation": {"size": [48, 64], "counts": [100, 9, 2963]},
        },
        {"id": 5, "image_id": 1, "category_id": 1, "segmentation": {"size": [4, 3], "counts": "525"}},
    ],
    "categories": [{"id": 1, "name": "head"}],
}
REGIONS = [
    {"id": "a", "type": "keypointlabels", "original_width": 64, "original_height": 48, "image_rotation": 0,
     "value": {"x": 10, "y": 10, "width": 0.3, "keypointlabels": ["head"]}},
    {"id": "b", "type": "rectanglelabels", "original_width": 64, "original_height": 48,
     "value": {"x": 50, "y": 50, "width": 9, "height": 9, "rotation": 30, "rectanglelabels": ["head"]}},
    {"id": "c", "type": "ellipse", "original_width": 64, "original_height": 48,
     "value": {"x": 30, "y": 60, "radiusX": 3, "radiusY": 4, "rotation": 9}},
    {"id": "d", "type": "polygonlabels", "original_width": 64, "original_height": 48,
     "value": {"points": [[80, 80], [90, 80], [90, 90]], "polygonlabels": ["head"]}},
    {"type": "choices", "value": {"choices": ["rain"]}},
]  # fmt: skip
LABELSTUDIO = [
    {"id": 1, "data": {"image": "/data/upload/1/0a1b2c3d-a.jpg"},
     "annotations": [{"was_cancelled": False, "result": REGIONS}], "predictions": [{"result": []}]},
]  # fmt: skip
LABELSTUDIO_MIN = [
    {"id": 1, "annotation_id": 3, "image": "a.jpg",
     "kp": [{"x": 10, "y": 10, "width": 0.3, "keypointlabels": ["head"], "original_width": 64, "original_height": 48}]},
]  # fmt: skip
LABELME = {
    "version": "5.2.1", "imagePath": "a.jpg", "imageHeight": 48, "imageWidth": 64,
    "shapes": [
        {"label": "head", "points": [[5.5, 6.25]], "shape_type": "point"},
        {"label": "head", "points": [[20, 20], [30, 32]], "shape_type": "rectangle"},
        {"label": "head", "points": [[40, 40], [42, 40]], "shape_type": "circle"},
        {"label": "head", "points": [[50, 5], [60, 5], [60, 9]], "shape_type": "polygon"},
    ],
}  # fmt: skip
VIA = {
    "a.jpg1": {"filename": "a.jpg", "size": 1, "file_attributes": {}, "regions": [
        {"shape_attributes": {"name": "point", "cx": 5, "cy": 6}, "region_attributes": {"type": "head"}},
        {"shape_attributes": {"name": "rect", "x": 20, "y": 20, "width": 9, "height": 9}, "region_attributes": {}},
        {"shape_attributes": {"name": "ellipse", "cx": 40, "cy": 40, "rx": 3, "ry": 2, "theta": 0.4}, "region_attributes": {}},
        {"shape_attributes": {"name": "polygon", "all_points_x": [50, 60, 60], "all_points_y": [5, 5, 9]}, "region_attributes": {}},
    ]},
}  # fmt: skip
SUPERVISELY = {
    "size": {"width": 64, "height": 48}, "objects": [
        {"classTitle": "head", "geometryType": "point", "points": {"exterior": [[5, 6]], "interior": []}},
        {"classTitle": "head", "geometryType": "rectangle", "points": {"exterior": [[20, 20], [30, 32]]}},
    ],
}  # fmt: skip
GOOSE = {"classes": ["head"], "points": {"a.jpg": {"head": [{"x": 5.0, "y": 6.0}, {"x": 8.0, "y": 6.0}]}}}
CVAT = (
    '<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>'
    '<image id="0" name="a.jpg" width="64" height="48"><points label="head" points="5,5;9.5,7"/>'
    '<box label="head" xtl="20" ytl="20" xbr="30" ybr="30" rotation="30.0"/>'
    '<ellipse label="head" cx="40" cy="40" rx="3" ry="2"/>'
    '<skeleton label="head"><points label="h" outside="0" points="50,9"/></skeleton></image></annotations>'
)
TRACKS = (
    "<annotations><meta><task><size>4</size><original_size><width>64</width><height>48</height></original_size>"
    '</task></meta><track id="0" label="head"><box frame="0" outside="0" xtl="1" ytl="1" xbr="9" ybr="9"/>'
    '<box frame="3" outside="1" xtl="1" ytl="1" xbr="9" ybr="9"/></track></annotations>'
)
VOC = (
    "<annotation><size><width>64</width><height>48</height></size><object><name>head</name><bndbox><xmin>3</xmin>"
    "<ymin>3</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
)
VIA_CSV = (
    "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
    'a.jpg,1,"{}",1,0,"{""name"":""point"",""cx"":5,""cy"":6}","{""type"":""head""}"\n'
)

TEXTS: dict[str, tuple[str, str]] = {
    "csv": ("a.csv", "x,y,width,height,class\n1,2,3,4,head\n5.5,6,2,2,head\n"),
    "napari": ("a.csv", "index,axis-0,axis-1\n0.0,6.0,5.0\n"),
    "napari-shapes": (
        "a.csv",
        "index,shape-type,vertex-index,axis-0,axis-1\n0,polygon,0,6,5\n0,polygon,1,9,5\n0,polygon,2,9,9\n",
    ),
    "table": ("points.csv", "image,x,y\na.jpg,1,2\na.jpg,5.5,6\n"),
    "boxes": (
        "_annotations.csv",
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.jpg,64,48,head,4,5,6,7\n",
    ),
    "makesense": ("labels.csv", "head,5,6,a.jpg,64,48\nhead,8,6,a.jpg,64,48\n"),
    "via-csv": ("via.csv", VIA_CSV),
    "json": ("a.json", '{"points": [[1, 2], [3.5, 4]], "sizes": [[3, 4], [5, 6]]}'),
    "labelme": ("a.json", json.dumps(LABELME)),
    "supervisely": ("a.jpg.json", json.dumps(SUPERVISELY)),
    "coco": ("all.json", json.dumps(COCO)),
    "labelstudio": ("all.json", json.dumps(LABELSTUDIO)),
    "labelstudio-min": ("all.json", json.dumps(LABELSTUDIO_MIN)),
    "via": ("all.json", json.dumps(VIA)),
    "dotdotgoose": ("all.pnt", json.dumps(GOOSE)),
    "cvat": ("all.xml", CVAT),
    "cvat-tracks": ("all.xml", TRACKS),
    "voc": ("a.xml", VOC),
    "voc-turned": (
        "a.xml",
        "<annotation><object><name>head</name><robndbox><cx>9</cx><cy>9</cy><w>4</w><h>6</h><angle>0.3</angle>"
        "</robndbox></object></annotation>",
    ),
    "yolo-turned": ("a.txt", "0 0.3 0.3 0.32 0.31 0.31 0.33 0.29 0.32\n"),
    "yolo": ("a.txt", "0 0.5 0.5 0.2 0.2\n0 0.1 0.1 0.2 0.1 0.2 0.2 0.1 0.2\n"),
    "yolo-pose": ("a.txt", "0 0.5 0.5 0.2 0.4 0.45 0.35 2 0.55 0.35 2 0.5 0.4 2\n"),
    "data.yaml": ("data.yaml", "names: [head, car]\n"),
}
"""Format → file name and content, for a folder with the photo a.jpg."""

GEOJSON = {
    "type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"name": "hall"}, "geometry": {"type": "Polygon", "coordinates": [
            [[2, 2], [30, 2], [30, 30], [2, 30], [2, 2]], [[5, 5], [9, 5], [9, 9], [5, 5]]]}},
        {"type": "Feature", "properties": None, "geometry": {"type": "MultiPolygon", "coordinates": [
            [[[40, 2], [60, 2], [60, 30], [40, 2]]], [[[2, 40], [9, 40], [9, 46], [2, 40]]]]}},
        {"type": "Feature", "properties": {"id": 3}, "geometry": {"type": "LineString", "coordinates": [[0, 47], [63, 47]]}},
    ],
}  # fmt: skip

ZONES: dict[str, tuple[str, str]] = {
    "own": ("zones.json", json.dumps({
        "size": [64, 48], "ground": {"points": [[0, 0], [60, 0], [60, 40], [0, 40]], "sides": [6, 4, 6, 4], "diagonal": 7.2},
        "zones": [{"name": "a", "points": [[5, 5], [30, 5], [30, 30]], "capacity": 8, "exclude": False,
                   "alarm": {"above": 5, "hold": 2, "webhook": "http://localhost/x", "command": ["true"]}},
                  {"name": "l", "kind": "line", "points": [[0, 0], [9, 9]], "width": 4}]})),
    "own parts": ("zones.json", json.dumps({
        "format": 1, "size": [64, 48], "ground": {"points": [[0, 0], [60, 0], [60, 40], [0, 40]],
                                                  "metres": [[0, 0], [6, 0], [6, 4], [0, 4]], "levels": "queue"},
        "zones": [{"name": "a", "points": [[2, 2], [30, 2], [30, 30], [2, 30]], "holes": [[[5, 5], [9, 5], [9, 9]]],
                   "more": [[[40, 2], [60, 2], [60, 30]]]},
                  {"name": "roi", "points": [[0, 0], [1, 0], [1, 1], [0, 1]], "relative": True, "roi": True},
                  {"name": "tree", "points": [[0.5, 0.5], [0.9, 0.5], [0.9, 0.9]], "relative": True, "exclude": True}]})),
    "geojson": ("zones.json", json.dumps(GEOJSON)),
    "list": ("zones.json", json.dumps([[[2, 2], [30, 2], [30, 30]], [40, 2, 60, 2, 60, 30]])),
    "named": ("zones.json", json.dumps({"a": [[2, 2], [30, 2], [30, 30]], "b": "0.1,0.1,0.9,0.1,0.9,0.9"})),
    "labelstudio": ("zones.json", json.dumps(LABELSTUDIO)),
    "labelme": ("zones.json", json.dumps(LABELME)),
    "via": ("zones.json", json.dumps(VIA)),
    "coco": ("zones.json", json.dumps(COCO)),
    "cvat": ("zones.xml", CVAT.replace("points=\"5,5;9.5,7\"/>", "points=\"5,5\"/><polygon label=\"z\" points=\"1,1;9,1;9,9\"/>")),
}  # fmt: skip

POINT_FILES: dict[str, tuple[str, str]] = {
    "lines": ("p.txt", "1 2 10 10 20 20\n2 0\n"),
    "truth": ("p.txt", "1 1 10 10 4 8 1\n2 0\n"),
    "counts": ("p.txt", "1 12.5\n2 7\n"),
    "csv": ("p.csv", "image,x,y\n1,10,10\n1,20,20\n2,,\n"),
    "csv-counts": ("p.csv", "image,count\n1,12\n2,7\n"),
    "json": ("p.json", json.dumps({"1": [[10, 10]], "2": []})),
    "json-rows": ("p.json", json.dumps([{"photo": "1.jpg", "count": 2.5, "points": [[10, 10]]}])),
}


INDEX = json.dumps({"models": {"lite": {"url": "lite.crowdscale", "sha256": "0" * 64}}})
"""An index of models."""

DESCRIPTION = (files("crowdscale") / "models" / "bundled" / "lite" / "model.json").read_text(encoding="utf-8")
"""A model's description."""


def _mat(compressed: bool) -> bytes:
    inner = np.empty((1, 1), dtype=[("location", "O"), ("number", "O")])
    inner[0, 0] = (np.array([[5.0, 6.0], [8.0, 6.0]]), np.array([[2]], np.uint8))
    outer = np.empty((1, 1), dtype=object)
    outer[0, 0] = inner
    stream = io.BytesIO()
    savemat(stream, {"image_info": outer}, do_compression=compressed)
    return stream.getvalue()


BINARY: dict[str, tuple[str, bytes]] = {
    "mat": ("a.mat", _mat(False)),
    "mat-compressed": ("a.mat", _mat(True)),
}
