# syntax=docker/dockerfile:1
# search on Python 3.11 with the tested versions. The torch wheels bring CUDA; a host with a GPU
# needs NVIDIA's driver and container toolkit only.
FROM python:3.11-slim

# What is written to, of a mode that lets any user in, for a container that runs as another one.
RUN useradd --create-home --uid 1000 search \
    && install -d -m 1777 /home/search/.search /home/search/.cache /cache /artifacts \
    && install -d /lab/studies /lab/data
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY spaces spaces
COPY storage storage
COPY objectives objectives
COPY dashboards dashboards
COPY search search
COPY search_program.py ./
# 5 GB of PyTorch: fetched once, not again with every change of the code.
RUN --mount=type=cache,target=/root/.cache/pip pip install --constraint constraints.txt .

USER 1000:1000
WORKDIR /lab
ENV SEARCH_HOME=/home/search/.search
VOLUME /home/search/.search
ENTRYPOINT ["search"]
CMD ["--help"]
