# The images of the product, one a target: query, ingest (its API and its workers), twin, tools (the command line), and
# proxy, which replicas stand behind (deploy/compose.scale.yml).
# `docker compose build` makes them all. Needs BuildKit, which Docker has had on by default since version 23.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 XGTWIN_DATA_DIR=/data INGEST__WATCH_DIR=/watched_docs
# Volumes take owner and content of what the image has in their place. A number of its own, so that the user is the
# same person in every image, and nobody on most hosts.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin xgtwin \
    && install -d -o xgtwin -g xgtwin /data /data/models /backups /watched_docs
WORKDIR /app

# What each image needs, in a virtual environment without pip. The locks alone decide when these layers are made anew;
# the cache of downloads is shared. PIP_INDEX_URL is for machines that reach packages elsewhere than pip does by itself.
FROM base AS packages
ARG PIP_INDEX_URL=
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_CACHE_DIR=/pip-cache
RUN python -m venv --without-pip /opt/venv

FROM packages AS packages-twin
COPY requirements/twin.txt /tmp/
RUN --mount=type=cache,target=/pip-cache \
    pip --python /opt/venv/bin/python install --quiet --no-deps --require-hashes -r /tmp/twin.txt

FROM packages AS packages-query
COPY requirements/query.txt /tmp/
RUN --mount=type=cache,target=/pip-cache \
    pip --python /opt/venv/bin/python install --quiet --no-deps --require-hashes -r /tmp/query.txt

FROM packages AS packages-ingest
COPY requirements/ingest.txt /tmp/
RUN --mount=type=cache,target=/pip-cache \
    pip --python /opt/venv/bin/python install --quiet --no-deps --require-hashes -r /tmp/ingest.txt

# The embedding model, if it is to be in the images: EMBEDDING_MODEL=intfloat/multilingual-e5-small. Without it the
# services fetch it when they first start, and say so in their logs.
FROM packages-query AS model
ARG EMBEDDING_MODEL=
ARG HF_ENDPOINT=
COPY shared shared
# The hub's library takes an empty HF_ENDPOINT for an address.
RUN [ -n "$HF_ENDPOINT" ] || unset HF_ENDPOINT; \
    if [ -n "$EMBEDDING_MODEL" ]; then python -m shared.embeddings.fetching "$EMBEDDING_MODEL" /data/models; fi

FROM base AS twin
COPY --from=packages-twin /opt/venv /opt/venv
COPY shared shared
COPY twin_bridge twin_bridge
RUN python -m compileall -q .
USER xgtwin
EXPOSE 8002
CMD ["python", "-m", "twin_bridge"]

FROM base AS query
COPY --from=packages-query /opt/venv /opt/venv
COPY --from=model --chown=xgtwin:xgtwin /data/models /data/models
COPY shared shared
COPY query_service query_service
RUN python -m compileall -q .
# numpy starts a thread for each processor in every process otherwise, for products of matrices that nobody asks of it.
ENV OPENBLAS_NUM_THREADS=1
USER xgtwin
EXPOSE 8000
CMD ["python", "-m", "query_service"]

# Language data of text recognition; tini, which buries what killed readers leave behind; and, for DOC, PPT, ODT and RTF,
# LibreOffice, left out with LIBREOFFICE=no.
FROM base AS ingest-programs
ARG LIBREOFFICE=yes
RUN apt-get -qq update \
    && programs="tini tesseract-ocr-por tesseract-ocr-eng tesseract-ocr-osd" \
    && if [ "$LIBREOFFICE" = yes ]; then \
         programs="$programs libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui fonts-dejavu-core"; fi \
    && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $programs > /dev/null \
    && rm -rf /var/lib/apt/lists/*

FROM ingest-programs AS ingest
COPY --from=packages-ingest /opt/venv /opt/venv
COPY --from=model --chown=xgtwin:xgtwin /data/models /data/models
COPY shared shared
COPY ingest_service ingest_service
RUN python -m compileall -q .
ENV OPENBLAS_NUM_THREADS=1
USER xgtwin
EXPOSE 8001
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "ingest_service"]

# The command line, for what an operator does now and then: migrations, keys, backups, a simulated lamp.
FROM packages-ingest AS packages-tools
COPY requirements/xgtwin.txt /tmp/
RUN --mount=type=cache,target=/pip-cache \
    pip --python /opt/venv/bin/python install --quiet --no-deps --require-hashes -r /tmp/xgtwin.txt

FROM base AS tools
COPY --from=packages-tools /opt/venv /opt/venv
COPY shared shared
COPY ingest_service ingest_service
COPY query_service query_service
COPY twin_bridge twin_bridge
COPY xgtwin xgtwin
RUN python -m compileall -q .
ENV OPENBLAS_NUM_THREADS=1
USER xgtwin
ENTRYPOINT ["python", "-m", "xgtwin"]

FROM base AS proxy
RUN apt-get -qq update \
    && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends haproxy > /dev/null \
    && rm -rf /var/lib/apt/lists/*
USER xgtwin
EXPOSE 8000 8001 8002
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-db", "-f", "/etc/haproxy/haproxy.cfg"]
