# syntax=docker/dockerfile:1
# search on Python 3.11 with the tested versions. The torch wheels bring CUDA; a host with a GPU
# needs NVIDIA's driver and container toolkit only.
FROM python:3.11-slim

RUN useradd --create-home search && install -d -o search -g search /home/search/.search
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

USER search
WORKDIR /home/search
ENV SEARCH_HOME=/home/search/.search
VOLUME /home/search/.search
ENTRYPOINT ["search"]
CMD ["--help"]
