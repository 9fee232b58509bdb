# The service in a container: non-root, made for a read-only root file system.
#   docker build -t crowdscale .
#   docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 -e CROWDSCALE_TOKEN=… crowdscale
FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY .ci .ci
COPY src src
COPY web web
RUN python -m venv /opt/crowdscale \
 && /opt/crowdscale/bin/pip install --no-cache-dir --constraint constraints.txt '.[serve]'

FROM python:3.11-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin crowdscale
COPY --from=build /opt/crowdscale /opt/crowdscale
USER 10001
# Caches and uploads go to /tmp, the one place that is written to.
ENV PATH=/opt/crowdscale/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/tmp HOME=/tmp
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:8000/health'), timeout=4)"]
# Ends on SIGTERM after all accepted photos. Needs CROWDSCALE_TOKEN, since it listens beyond the container.
ENTRYPOINT ["crowdscale", "serve", "--host", "0.0.0.0", "--port", "8000", "--no-browser"]
