"""What a block of a guide cannot have in a test, and what it gets instead; the note above the block names it to readers."""

from __future__ import annotations

from tests.support.guides import ROOT, free_port

__all__ = ["STAND_INS"]

PORT = str(free_port())
BROKER = str(free_port())
CAMERAS = free_port()
FILL_IN = "sed -i '2,$ s/^\\([^,]*,[^,]*,[^,]*\\),/\\1,15/' audit/counts.csv\n"
SERVED = f"python -m http.server {PORT} --bind 127.0.0.1 > log 2>&1 & trap 'kill $!' EXIT; sleep 2\n"


def started(options: str, port: int) -> str:
    """Return a service with these options that answers, its process number in a file."""
    serve = (
        f"timeout 300 crowdscale serve --no-browser --port {port} {options} > log 2>&1 & echo $! > service\n"
    )
    return f"{serve}curl -sS --retry 240 --retry-delay 1 --retry-connrefused http://127.0.0.1:{port}/health\n"


def served(options: str) -> str:
    """Return a service with these options that ends once it answers."""
    return f"{started(options, free_port())}kill $(cat service)\n"


FOLDERS = "mkdir -p bucket; cp -r examples bucket/2024\n"
TWO_CAMERAS = "sed -i 's/^source = .*/source = \"film.mp4\"/' cameras.toml\n"
BROKERED = (
    f"python -m tests.support.broker {BROKER} > published & broker=$!; trap 'kill $broker' EXIT; sleep 1\n"
)
CLICKS = """cat > click <<'END'
#!/bin/sh
page=$(curl -sSL -o /dev/null -w '%{url_effective}' "$1")
curl -sS -X POST "${page}done"
END
chmod +x click; export BROWSER="$PWD/click %s"
"""
OWN = f"""cp {ROOT}/tests/files/inputs/turned.heic photo.heic; mkdir -p trip more; cp photo.heic trip; cp turned.jpg more
printf '#!/bin/sh\\ncase "$*" in *image/jpeg) cat turned.jpg;; *) exit 1;; esac\\n' > .venv/bin/xclip
chmod +x .venv/bin/xclip; export DISPLAY=:9; unset WAYLAND_DISPLAY
{SERVED}"""
SMALL_FILM = """cat > small.py <<'END'
import json
import cv2

photo = cv2.imread("examples/crossing.jpg")
film = cv2.VideoWriter("film.mp4", cv2.VideoWriter_fourcc(*"mp4v"), 5, (640, 480))
for step in range(15):
    film.write(photo[500:980, 600 + 10 * step : 1240 + 10 * step])
film.release()
line = {"name": "gate", "kind": "line", "points": [[320, 0], [320, 480]]}
json.dump({"size": [640, 480], "zones": [line]}, open("zones.json", "w"))
END
python small.py
"""

STAND_INS: dict[str, dict[str, str]] = {
    "audit": {"crowdscale audit examples": f"{FILL_IN}crowdscale audit examples"},
    "guides/archives": {
        "crowdscale count s3://bucket/2024/ --out s3://bucket": (
            f"{FOLDERS}crowdscale count file://$PWD/bucket/2024/ --out file://$PWD/bucket"
        )
    },
    "guides/dashboard": {
        "crowdscale serve --cameras cameras.toml\n": started("--model nano --cameras cameras.toml", CAMERAS),
        ":8000": f":{CAMERAS}",
        "kill %1": "kill $(cat service)",
    },
    "guides/films": {
        "crowdscale watch rtsp://camera/live --every 10s --rows": (
            f"{SERVED}crowdscale watch http://127.0.0.1:{PORT}/film.mp4 --every 10s --rows"
        ),
        "crowdscale watch --cameras": f"{TWO_CAMERAS}crowdscale watch --cameras",
        "crowdscale watch rtsp://camera/live --every 10s --zones": (
            f"{BROKERED}crowdscale watch film.mp4 --every 1s --zones"
        ),
        "${MQTT_PASSWORD}@broker'": f"word@127.0.0.1:{BROKER}'; grep -q '^crowdscale/' published",
    },
    "guides/inputs": {
        "crowdscale count photo.heic": f"{OWN}crowdscale count photo.heic",
        "https://example.org/photo.jpg": f"http://127.0.0.1:{PORT}/turned.jpg",
    },
    "guides/marches": {
        "crowdscale watch rtsp://camera/live": f"{SMALL_FILM}crowdscale watch film.mp4",
        "--sample 1m/5m": "--sample 1s/2s@0s",
    },
    "guides/photo": {"prediction.show()": "prediction.size"},
    "guides/training": {
        "--init lite": "--init nano --l2s-crops 8 --l2s-crop 192 --precision 32-true --workers 0 --pictures 0",
    },
    "guides/zones": {"crowdscale zones edit": f"{CLICKS}crowdscale zones edit"},
    "page-and-service": {
        "crowdscale serve\n": started("", int(PORT)),
        "crowdscale serve --corrections corrections\n": served("--corrections corrections"),
        "crowdscale serve --folder my_photos\n": served("--folder examples"),
        ":8000": f":{PORT}",
        "head -c 200 count.json\n": "head -c 200 count.json\nkill $(cat service)\n",
    },
}
"""By the name of the guide: what stands in a block, and what replaces it."""
