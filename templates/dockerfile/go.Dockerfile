{{header}}
# One static program and CA certificates; no shell, no compiler, no source.

FROM {{#platforms}}--platform=$BUILDPLATFORM {{/platforms}}{{base}} AS deps
WORKDIR /src
ENV CGO_ENABLED=0 GOMODCACHE=/go/pkg/mod GOCACHE=/root/.cache/go-build
{{#args}}
ARG {{name}}={{value}}
{{/args}}
# BuildKit fills these; without it they are empty and the builder's own platform is meant.
ARG TARGETOS
ARG TARGETARCH
# The wait of the preStop hook: a stopping pod serves on until nothing sends it requests any more.
RUN {{#cache_mounts}}--mount=type=cache,target=/root/.cache/go-build {{/cache_mounts}}mkdir -p /drain /empty /out/usr/local/bin /out/etc/ssl/certs \
    && printf '%s\n' 'package main' 'import ("os"; "time")' 'func main() {' 'wait, err := time.ParseDuration(os.Args[1] + "s")' \
       'if err != nil { os.Exit(2) }' 'time.Sleep(wait)' '}' > /drain/main.go \
    && GOOS="${TARGETOS:-linux}" GOARCH="${TARGETARCH:-$(go env GOARCH)}" \
       go build -trimpath -ldflags '-s -w' -o /out/usr/local/bin/drain-sleep /drain/main.go \
    && if [ -s /etc/ssl/certs/ca-certificates.crt ]; then cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/; fi
{{#downloads}}
# Modules before source: they are fetched again only when go.mod or go.sum change.
COPY go.mod go.su[m] ./
RUN {{#cache_mounts}}--mount=type=cache,target=/go/pkg/mod {{/cache_mounts}}{{#secrets}}--mount=type=secret,id={{id}} {{/secrets}}go mod download
{{/downloads}}

FROM deps AS builder
{{#args}}
ARG {{name}}={{value}}
{{/args}}
ARG TARGETOS
ARG TARGETARCH
COPY . .
# Compiles; the commit is linked in afterwards, so that another one that changes no source compiles nothing again.
RUN {{#cache_mounts}}--mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build {{/cache_mounts}}{{#secrets}}--mount=type=secret,id={{id}} {{/secrets}}\
    GOOS="${TARGETOS:-linux}" GOARCH="${TARGETARCH:-$(go env GOARCH)}" \
    go build -trimpath -ldflags '-s -w' -o /app {{package}}
ARG VERSION=dev
ARG COMMIT=unknown
RUN {{#cache_mounts}}--mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build {{/cache_mounts}}{{#secrets}}--mount=type=secret,id={{id}} {{/secrets}}\
    GOOS="${TARGETOS:-linux}" GOARCH="${TARGETARCH:-$(go env GOARCH)}" \
    go build -trimpath -ldflags "-s -w -X main.version=${VERSION} -X main.commit=${COMMIT}" -o /app {{package}}

FROM {{runtime}} AS runtime
COPY --from=deps /out/ /
COPY --from=builder /app {{program}}
{{#volumes}}
COPY --from=deps --chown={{user}}:{{user}} /empty/ {{mount}}/
{{/volumes}}
USER {{user}}:{{user}}
{{#ports}}
EXPOSE {{number}}
{{/ports}}
ENTRYPOINT {{entrypoint}}
ARG VERSION=dev
ARG COMMIT=unknown
LABEL org.opencontainers.image.title={{title}} \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"
