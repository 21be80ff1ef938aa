# Arm NN 23.08 on the processor, as Debian 13 packages it. Build context: runners/.
# `inferometer images` builds it and passes the host's proxies and apt settings (secrets `apt`, `ca`); none stays.

FROM debian:trixie-slim AS armnn
ARG TARGETARCH
# Each suite and processor has lists of its own: those of others, which share a build's cache, do not fit.
# What measures nothing goes in the same layer: tests, stubs, headers, and parsers that Debian built no
# library for. The size before stays on record. The Neon backend exists for Arm only.
RUN --mount=type=secret,id=ca --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host \
    --mount=type=cache,id=apt-lists-trixie-$TARGETARCH,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=cache,id=apt-cache-trixie-$TARGETARCH,target=/var/cache/apt,sharing=locked \
    apt-get update -q \
    && case "$TARGETARCH" in arm64) neon=libarmnn-cpuacc-backend33 ;; *) neon= ;; esac \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
        python3-pyarmnn libarmnn-cpuref-backend33 $neon \
    && mkdir /runner \
    && dpkg-query -W -f '${Installed-Size} ${Package}\n' 'libarm*' python3-pyarmnn python3-numpy \
        | awk '{ kib += $1 } END { print kib * 1024 }' > /runner/installed-bytes \
    && cd /usr/lib/python3/dist-packages \
    && rm -rf numpy/f2py numpy/distutils numpy/doc numpy/_core/include /usr/include \
    && rm -f pyarmnn/_generated/*_onnxparser.* pyarmnn/_generated/*_deserializer.* \
    && find . -type d -name tests -prune -exec rm -rf {} + \
    && find . /usr/lib/python3.13 \( -name '*.pyi' -o -name '*.pxd' -o -name '*.a' \) -delete \
    && rm -rf /var/cache/debconf/* /var/log/*

FROM armnn AS build
COPY sdk/*.py armnn/*.py /runner/
RUN python3 -m compileall -q /runner

FROM armnn
COPY --from=build /runner /runner
ENV PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001
ENTRYPOINT ["python3", "/runner/runner.py"]
