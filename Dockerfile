# digitpad in a container: its own packages, no build tools, nobody's root, and one folder that is written: /data.
# Each RUN line is also run without a container engine, by `make container-check`.
FROM python:3.12 AS build
WORKDIR /opt/digitpad
COPY Makefile pyproject.toml requirements.lock ./
# the packages of the lock file, by their hashes, as `make run` installs them; then pip is no longer needed
RUN make install && .venv/bin/python -m pip uninstall --quiet --yes pip setuptools
COPY app app
# the root may be read-only, so that no process can write these later
RUN .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash app

FROM python:3.12-slim
LABEL org.opencontainers.image.title="digitpad" \
      org.opencontainers.image.description="Draw a digit and watch a neural network, written in NumPy, read it" \
      org.opencontainers.image.licenses="MIT"
# /data is the volume: a new one takes the owner of the folder that it is put over
RUN python -m pip uninstall --quiet --yes --root-user-action=ignore pip \
    && rm -rf /usr/local/lib/python3.12/ensurepip \
    && install --directory --owner=10001 --group=10001 /data
WORKDIR /opt/digitpad
COPY LICENSE ./
COPY model_store model_store
COPY templates templates
COPY static static
COPY --from=build /opt/digitpad/.venv .venv
COPY --from=build /opt/digitpad/app app
ENV HOME=/data \
    DIGITPAD_HOME=/data \
    DIGITPAD_CACHE_DIR=/data/cache \
    DIGITPAD_HOST=0.0.0.0 \
    DIGITPAD_PORT=8000 \
    DIGITPAD_LOG_FORMAT=json \
    DIGITPAD_LOG_LEVEL=info \
    PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD [".venv/bin/python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(f'http://127.0.0.1:{os.environ[\"DIGITPAD_PORT\"]}/health', timeout=4)"]
# the same command that `make run` runs; a SIGTERM lets every training write a checkpoint, from which it then goes on
CMD [".venv/bin/python", "-m", "app", "serve"]
