# syntax=docker/dockerfile:1
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=dev
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/feige ./cmd/feige

# The roles of a cluster need nothing but libc; embedded ClickHouse (feige up, feige run) is for a
# machine with npm, and its library may be mounted: embedded.clickhouse.library.
FROM debian:12.12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/feige --create-home --shell /usr/sbin/nologin feige
COPY --from=build /out/feige /usr/local/bin/feige
COPY LICENSE /usr/share/doc/feige/
USER 10001:10001
WORKDIR /var/lib/feige
ENV FEIGE_LOG__FORMAT=json FEIGE_HTTP__ADDR=0.0.0.0:9180 FEIGE_DATA_DIR=/var/lib/feige
EXPOSE 9180
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["feige", "ready"]
ENTRYPOINT ["feige"]
CMD ["--help"]
