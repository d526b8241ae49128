# The image of the action. GitLab and Kubernetes runners and a plain `docker run` use it as it is.
#
# Written for every builder there is: no `# syntax=` line (it would be fetched), no heredocs, no COPY --link.
# The base is pinned by digest, and Dependabot moves the pin. The tag beside it is for people.
#
# The same commit makes the same image, whatever the umask and the clock of who builds it: modes are set here, and
# SOURCE_DATE_EPOCH is the time of every file (`make image-digest`, `rewrite-timestamp` of BuildKit).

FROM python:3.13-slim-trixie@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285 AS base


FROM base AS build

# Read by pip and by the compiler of byte code. BuildKit sets it for every stage that names it.
ARG SOURCE_DATE_EPOCH

# Only wheels whose hash stands in the lock file get in, and no pip comes with them. What nobody calls goes out again:
# commands, tests, and the half of PyYAML in C, 2.6 MB that are loaded for nothing, since the loaders here are in Python.
COPY requirements/runtime.txt /build/
RUN python -m venv --without-pip /opt/cfgate \
 && pip --python /opt/cfgate/bin/python install --quiet --disable-pip-version-check --root-user-action=ignore \
      --no-cache-dir --no-compile --only-binary :all: --require-hashes --requirement /build/runtime.txt \
 && find /opt/cfgate/bin -type f -delete \
 && find /opt/cfgate/lib \( -name tests -o -name '_yaml.*.so' \) -prune -exec rm -r {} +

# `cfgate`, for a job whose image this is and that has a script of its own.
COPY cfgate /build/cfgate
COPY entrypoint.py /opt/cfgate/
RUN cp -R /build/cfgate /opt/cfgate/lib/python3.*/site-packages/ \
 && printf '#!/bin/sh\nexec /opt/cfgate/bin/python -IuB /opt/cfgate/entrypoint.py "$@"\n' >/opt/cfgate/bin/cfgate \
 && chmod -R u=rwX,go=rX /opt/cfgate \
 && chmod 755 /opt/cfgate/bin/cfgate \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/cfgate/lib


FROM base

LABEL org.opencontainers.image.title="cfgate" \
      org.opencontainers.image.description="Blocks a pipeline until a Clanforge game image version is ready" \
      org.opencontainers.image.licenses="MIT"

COPY --from=build /opt/cfgate /opt/cfgate
ENV PATH=/opt/cfgate/bin:$PATH

# The base comes without byte code, so every start would spend half a second on compiling what it imports of the
# standard library. Importing it once leaves the byte code of just those modules here: first what is loaded late.
RUN ["python", "-I", "-c", "import argparse, difflib, gzip, http.server, encodings.idna, encodings.utf_16_be, \
     encodings.utf_16_le, encodings.utf_8_sig, cfgate.cli, cfgate.report.junit, requests, tenacity, yaml"]

# Root, as GitHub needs it: the files that take outputs and summary belong to another user.
# -I: nothing in the workspace and no PYTHON* variable can put itself in the place of a module.
# -u: a line is in the log when it is printed. -B: nothing is written at run time.
ENTRYPOINT ["/opt/cfgate/bin/python", "-IuB", "/opt/cfgate/entrypoint.py"]
