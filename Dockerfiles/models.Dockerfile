# The exporter: one PyTorch source becomes every format of a model. Build context: models/.
# `inferometer images` builds it and passes the host's proxies, apt and pip settings (secrets `apt`, `pip`),
# CA bundle (secret `ca`, named by both) and local wheels (context `wheelhouse`); none stays in the image.

FROM scratch AS wheelhouse

FROM debian:bookworm-slim AS python
RUN --mount=type=secret,id=ca --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update -q \
    && apt-get install -qy --no-install-recommends python3-minimal libpython3-stdlib \
    && rm -rf /var/cache/debconf/* /var/log/*

FROM python AS build
RUN --mount=type=secret,id=ca --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-pip-whl
COPY requirements.txt requirements-nodeps.txt /build/
# PyTorch's own index has the build without CUDA, gigabytes smaller; out of its reach the usual one serves.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=bind,from=wheelhouse,target=/wheelhouse --mount=type=cache,target=/root/.cache/pip \
    export PYTHONPATH=$(echo /usr/share/python-wheels/pip-*.whl) \
    && pip="python3 -m pip install --break-system-packages --only-binary :all: --find-links /wheelhouse" \
    && { $pip --no-deps --index-url "$TORCH_INDEX" --retries 1 $(grep ^torch== /build/requirements.txt) || true; } \
    && $pip -r /build/requirements.txt \
    && $pip --no-deps -r /build/requirements-nodeps.txt
WORKDIR /usr/local/lib/python3.11/dist-packages
RUN find . -type d -name tests -prune -exec rm -rf {} + && rm -rf torch/include torch/test

FROM python
COPY --from=build /usr/local/lib/python3.11/dist-packages /usr/local/lib/python3.11/dist-packages
COPY . /app/models
# Without a user of that name in the image, libraries that ask for one get it from USER; they write below /tmp.
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app HOME=/tmp USER=exporter HF_HUB_OFFLINE=1
USER 10001:10001
ENTRYPOINT ["python3", "-m", "models"]
