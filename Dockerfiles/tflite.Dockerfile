# LiteRT (TensorFlow Lite) on the processor. Build context: runners/.
# `inferometer images` builds it and passes the host's proxies, apt and pip settings (secrets `apt`, `pip`),
# CA bundle (secret `ca`, named by both) and local wheels (context `wheelhouse`); none stays in the image.

FROM scratch AS wheelhouse

FROM debian:bookworm-slim AS python
RUN --mount=type=secret,id=ca --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update -q \
    && apt-get install -qy --no-install-recommends python3-minimal libpython3-stdlib \
    && rm -rf /var/cache/debconf/* /var/log/*

FROM python AS build
RUN --mount=type=secret,id=ca --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends python3-pip-whl
COPY tflite/requirements.txt /build/
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=bind,from=wheelhouse,target=/wheelhouse --mount=type=cache,target=/root/.cache/pip \
    export PYTHONPATH="$(echo /usr/share/python-wheels/pip-*.whl)" \
    && python3 -m pip install --break-system-packages --only-binary :all: --find-links /wheelhouse \
        -r /build/requirements.txt
# What measures nothing goes: tests, stubs, headers, compilers and delegates for accelerators that are not
# this image's. The size before stays on record.
WORKDIR /usr/local/lib/python3.11/dist-packages
RUN mkdir /runner && du -sb . | cut -f1 > /runner/installed-bytes
RUN cd ai_edge_litert && rm -rf aot tools vendors tflite/converter libLiteRtWebGpuAccelerator.so && cd .. \
    && rm -rf numpy/_core/include \
    && rm -rf numpy/f2py numpy/distutils numpy/doc \
    && find . -type d -name tests -prune -exec rm -rf {} + \
    && find . \( -name '*.pyi' -o -name '*.pxd' -o -name '*.a' \) -delete
# For delegate=armnn: Arm's release archive for Linux on aarch64, empty where nobody wants it.
ARG ARMNN_URL=
ARG ARMNN_SHA256=
RUN --mount=type=secret,id=ca \
    mkdir /opt/armnn \
    && if [ -n "$ARMNN_URL" ]; then \
        export SSL_CERT_FILE=/run/secrets/ca \
        && python3 -c 'import sys, urllib.request as web; web.urlretrieve(*sys.argv[1:])' \
            "$ARMNN_URL" /build/armnn.tar.gz \
        && echo "$ARMNN_SHA256  /build/armnn.tar.gz" | sha256sum --check \
        && tar -xzf /build/armnn.tar.gz -C /opt/armnn --transform 's|.*/||' --wildcards '*lib*.so*'; \
    fi
# MLPerf's LoadGen, only for launches that it drives (`--loadgen`).
ARG LOADGEN=
COPY sdk/requirements-loadgen.txt /build/
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=bind,from=wheelhouse,target=/wheelhouse --mount=type=cache,target=/root/.cache/pip \
    if [ -n "$LOADGEN" ]; then \
        PYTHONPATH="$(echo /usr/share/python-wheels/pip-*.whl)" python3 -m pip install \
            --break-system-packages --only-binary :all: --find-links /wheelhouse \
            -r /build/requirements-loadgen.txt; \
    fi
COPY sdk/*.py tflite/*.py /runner/
RUN python3 -m compileall -q /runner

FROM python
COPY --from=build /usr/local/lib/python3.11/dist-packages /usr/local/lib/python3.11/dist-packages
COPY --from=build /opt/armnn /opt/armnn
COPY --from=build /runner /runner
ENV PYTHONDONTWRITEBYTECODE=1 HOME=/tmp LD_LIBRARY_PATH=/opt/armnn
USER 10001:10001
ENTRYPOINT ["python3", "/runner/runner.py"]
