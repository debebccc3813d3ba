# The server's image, and what trains: for ops/kubernetes/refresh.yaml.
#   docker build -f ops/container/refresh.Dockerfile -t ncf-refresh:0.2.0 .
FROM ncf-serve:0.2.0
WORKDIR /srv/ncf
USER 0
COPY pyproject.toml constraints.txt ./
RUN .venv/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt --group train \
    && mkdir build \
    && chown 10001:10001 build
COPY train train
ENV MPLCONFIGDIR=/tmp
USER 10001:10001
ENTRYPOINT ["python", "-m", "ops.refresh"]
