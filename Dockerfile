# Yorisoi in a small image: no compiler, no shell work at start, an ordinary user.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/yorisoi
COPY requirements/runtime.txt requirements/
RUN /opt/yorisoi/bin/pip install --no-cache-dir --disable-pip-version-check \
      --require-hashes --only-binary :all: --no-deps -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY handlers handlers
COPY followups followups
COPY db db
COPY prompts prompts
COPY sandbox sandbox
RUN /opt/yorisoi/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.13-slim
# The same user id everywhere, so that a volume made by one version belongs to the next one too.
RUN useradd --uid 10001 --create-home --home-dir /var/lib/yorisoi --shell /usr/sbin/nologin yorisoi \
 && mkdir /var/lib/yorisoi/data \
 && chown yorisoi:yorisoi /var/lib/yorisoi/data \
 && chmod 0700 /var/lib/yorisoi/data
COPY --from=build /opt/yorisoi /opt/yorisoi
ENV PATH=/opt/yorisoi/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    YORISOI_DATA_DIR=/var/lib/yorisoi/data
USER yorisoi
WORKDIR /var/lib/yorisoi
VOLUME /var/lib/yorisoi/data
EXPOSE 8000
# Alive, not ready: a restart does not bring LINE or Slack back.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/healthz\", timeout=4)"]
# `docker stop` sends SIGTERM: what is under way is finished, the rest stays in the database.
STOPSIGNAL SIGTERM
ENTRYPOINT ["yorisoi"]
CMD ["run"]
