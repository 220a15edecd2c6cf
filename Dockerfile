# The operator, and velokube-sim as a target of its own:
#
#   docker build -t velokube .                              podman build and buildah bud take the same
#   docker build -t velokube-sim --target velokube-sim .
#
# Each image holds one program, the shared libraries that it needs and the certificate authorities: no shell, no package
# manager. scripts/check-image builds and tries them.
ARG SWIFT_IMAGE=docker.io/library/swift:6.2-bookworm
ARG DEBIAN_IMAGE=docker.io/library/debian:bookworm-slim

FROM ${SWIFT_IMAGE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libcurl4-openssl-dev libsqlite3-dev libyaml-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Package.swift LICENSE ./
COPY Sources Sources
# The package names its tests, so they have to be there; they are not built.
COPY Tests Tests
RUN --mount=type=cache,target=/source/.build \
    swift build -c release --static-swift-stdlib --product velokube \
    && swift build -c release --static-swift-stdlib --product velokube-sim \
    && mkdir -p /built/licences \
    && cp .build/release/velokube .build/release/velokube-sim /built \
    && strip /built/velokube /built/velokube-sim \
    && cp LICENSE /built/licences \
    && cd .build/checkouts && cp --parents */LICENSE* */NOTICE* /built/licences

# The same Debian as above, in its newest state, for what the programs link to.
FROM ${DEBIAN_IMAGE} AS files
RUN apt-get update \
    && apt-get upgrade -y \
    && apt-get install -y --no-install-recommends libcurl4 libsqlite3-0 libyaml-0-2 libstdc++6 ca-certificates \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /built /built
COPY scripts/image-files /usr/local/bin/
RUN image-files /built/velokube /files/velokube && image-files /built/velokube-sim /files/velokube-sim

FROM scratch AS velokube-sim
COPY --from=files /files/velokube-sim /
ENV PATH=/usr/local/bin
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/velokube-sim"]

FROM scratch AS velokube
LABEL org.opencontainers.image.title="velokube" \
    org.opencontainers.image.description="VelocloudBP resources as business-policy rules on a VeloCloud Orchestrator" \
    org.opencontainers.image.licenses="Apache-2.0"
COPY --from=files /files/velokube /
ENV PATH=/usr/local/bin
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/velokube"]
CMD ["run"]
