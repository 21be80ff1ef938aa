# TensorRT on an NVIDIA GPU. Build context: runners/. BASE is NVIDIA's image for a board's L4T release, from
# the table [[bases]] in runners/tensorrt/runner.toml; on a PC it is Debian, with NVIDIA's Python packages.
# `inferometer images` builds it and passes the host's proxies, apt and pip settings (secrets `apt`, `pip`),
# CA bundle (secret `ca`, named by both) and local wheels (context `wheelhouse`); none stays in the image.
ARG BASE=debian:bookworm-slim

FROM scratch AS wheelhouse

FROM ${BASE} AS python
# On L4T only Ubuntu's own lists: NVIDIA's want keys that old images do not have.
RUN --mount=type=secret,id=ca --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host \
    . /etc/os-release \
    && if [ "$ID" = ubuntu ]; then only="-o Dir::Etc::sourceparts=-"; numpy=python3-numpy; fi \
    && apt-get update -q $only \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $only \
        python3-minimal libpython3-stdlib $numpy \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/cache/debconf/* /var/log/*

FROM debian:bookworm-slim AS pip
RUN --mount=type=secret,id=ca --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
        python3-minimal libpython3-stdlib python3-pip-whl
ARG REQUIREMENTS=requirements.txt
COPY tensorrt/${REQUIREMENTS} /build/requirements.txt
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=bind,from=wheelhouse,target=/wheelhouse --mount=type=cache,target=/root/.cache/pip \
    export PYTHONPATH="$(echo /usr/share/python-wheels/pip-*.whl)" \
    && python3 -m pip install --target /packages --find-links /wheelhouse -r /build/requirements.txt \
    && mkdir -p /packages /runner && du -sb /packages | cut -f1 > /runner/installed-bytes
# MLPerf's LoadGen, only for launches that it drives (`--loadgen`).
ARG LOADGEN=
COPY sdk/requirements-loadgen.txt /build/
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=bind,from=wheelhouse,target=/wheelhouse --mount=type=cache,target=/root/.cache/pip \
    if [ -n "$LOADGEN" ]; then \
        PYTHONPATH="$(echo /usr/share/python-wheels/pip-*.whl)" python3 -m pip install \
            --target /packages --find-links /wheelhouse -r /build/requirements-loadgen.txt; \
    fi
COPY sdk/*.py tensorrt/*.py /runner/

FROM python
COPY --from=pip /packages /packages
COPY --from=pip /runner /runner
# The driver's libraries come with NVIDIA's container runtime, on L4T r32 CUDA and TensorRT too.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/packages HOME=/tmp
USER 10001:10001
ENTRYPOINT ["python3", "/runner/runner.py"]
