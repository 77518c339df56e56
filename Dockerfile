# The wheel is built in one image and installed in another that has no build tools and no root.
FROM python:3.13-slim-bookworm AS build
RUN pip install --no-cache-dir uv
WORKDIR /src
COPY pyproject.toml uv.lock README.md* ./
COPY gateway gateway
COPY adapters adapters
COPY mappings mappings
COPY sample_messages sample_messages
RUN uv export --locked --no-dev --no-emit-project --quiet --output-file requirements.txt \
 && uv build --wheel --out-dir /wheels \
 && uv venv /opt/hotich \
 && uv pip install --python /opt/hotich/bin/python --require-hashes --requirement requirements.txt \
 && uv pip install --python /opt/hotich/bin/python --no-deps /wheels/*.whl

FROM python:3.13-slim-bookworm
RUN groupadd --gid 10001 hotich && useradd --uid 10001 --gid hotich --home-dir /data --shell /usr/sbin/nologin hotich \
 && install -d -o hotich -g hotich -m 0700 /data
COPY --from=build /opt/hotich /opt/hotich
ENV PATH=/opt/hotich/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOTICH_DATA_DIR=/data HOTICH_MLLP_HOST=0.0.0.0 HOTICH_HTTP_HOST=0.0.0.0
USER hotich
WORKDIR /data
VOLUME /data
EXPOSE 2575 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["hotich", "serve"]
