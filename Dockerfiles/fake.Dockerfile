# The scripted double: the standard library alone. Build context: runners/.
# `inferometer images` passes the host's proxies and apt settings (secrets `apt`, `ca`); none stays.

FROM debian:bookworm-slim AS python
RUN --mount=type=secret,id=ca --mount=type=secret,id=apt,target=/etc/apt/apt.conf.d/90host \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    --mount=type=cache,target=/var/cache/apt,sharing=locked \
    apt-get update -q \
    && apt-get install -qy --no-install-recommends python3-minimal libpython3-stdlib \
    && rm -rf /var/cache/debconf/* /var/log/*

FROM python AS build
COPY sdk/*.py fake/*.py /runner/
RUN python3 -m compileall -q /runner

FROM python
COPY --from=build /runner /runner
ENV PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001
ENTRYPOINT ["python3", "/runner/runner.py"]
