# PyTorch on the processor, with the C++ compiler that `compiled` and `aot` need. Build context: runners/.
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
# Other accelerators than the processor come with requirements of their own (runner.toml, [images]).
ARG REQUIREMENTS=requirements.txt
COPY pytorch/${REQUIREMENTS} /build/requirements.txt
# With the host's settings at hand, the indexes are its choice: it leaves out those that it cannot reach.
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip,target=/etc/pip.conf \
    --mount=type=bind,from=wheelhouse,target=/wheelhouse --mount=type=cache,target=/root/.cache/pip \
    export PYTHONPATH="$(echo /usr/share/python-wheels/pip-*.whl)" \
    && if [ -s /etc/pip.conf ]; then sed -i /^--extra-index-url/d /build/requirements.txt; fi \
    && python3 -m pip install --break-system-packages --only-binary :all: --find-links /wheelhouse \
        -r /build/requirements.txt
# What measures nothing goes: tests, stubs, static archives; headers stay, the compiler needs them.
# The size before stays on record.
WORKDIR /usr/local/lib/python3.11/dist-packages
RUN mkdir /runner && du -sb . | cut -f1 > /runner/installed-bytes
RUN rm -rf torch/test && find torch/bin -mindepth 1 -not -name torch_shm_manager -delete \
    && rm -rf numpy/f2py numpy/distutils numpy/doc \
    && find . -type d -name tests -prune -exec rm -rf {} + \
    && find . \( -name '*.pyi' -o -name '*.pxd' -o -name '*.a' \) -delete
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
COPY sdk/*.py pytorch/*.py /runner/
RUN python3 -m compileall -q /runner

# Only what compiles and links C++ for this machine. Constants come as assembler, for which g++ calls cc1
# as a preprocessor only: cc1plus does that as well. For a GPU Triton compiles a launcher, which is C and needs
# the real cc1. OpenSSL's command is inductor's way to hash headers.
FROM python AS toolchain
ARG REQUIREMENTS=requirements.txt
RUN --mount=type=secret,id=ca --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update -q \
    && apt-get install -qy --no-install-recommends g++ libpython3.11-dev openssl \
    && cd /usr/lib/gcc/*/12 && rm lto1 lto-wrapper *san*.a libstdc++*.a \
    && if [ "$REQUIREMENTS" = requirements.txt ]; then ln -sf cc1plus cc1; fi \
    && cd /usr/bin && rm -f *lto-dump* *-dwp *gprofng* *gcov* *ld.gold \
    && cd /usr/lib/*-linux-gnu && rm -rf lib[alt]san.so* libubsan.so* *gprofng* libc.a libm-*.a libmvec.a \
    && rm -rf libpython3.11.so* /usr/lib/python3.11/config-3.11-*/*.a \
    && rm -rf /var/cache/debconf/* /var/log/*

FROM toolchain
COPY --from=build /usr/local/lib/python3.11/dist-packages /usr/local/lib/python3.11/dist-packages
COPY --from=build /runner /runner
# PyTorch names a cache folder after the user, whom no file here knows.
ENV PYTHONDONTWRITEBYTECODE=1 HOME=/tmp USER=runner
USER 10001:10001
ENTRYPOINT ["python3", "/runner/runner.py"]
