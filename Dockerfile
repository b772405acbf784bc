# One image for the three services and the tool. The Swift runtime is the base image's.
FROM swift:6.3-bookworm AS build
RUN apt-get -qq update \
 && apt-get -qq install -y --no-install-recommends librdkafka-dev libsqlite3-dev libcurl4-openssl-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies are a layer of their own: a change of ours does not fetch them again.
COPY Package.swift ./
RUN swift package resolve
COPY . .
RUN swift build -c release \
 && mkdir /out \
 && cd .build/release && cp OrderService InventoryService NotificationService orderflow /out/

FROM swift:6.3-bookworm-slim AS runtime
RUN apt-get -qq update \
 && apt-get -qq install -y --no-install-recommends librdkafka1 libsqlite3-0 libcurl4 ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin orderflow \
 && install -d -o orderflow -g orderflow /data
COPY --from=build /out/ /usr/local/bin/
USER orderflow
WORKDIR /data
VOLUME /data
ENV HTTP_HOST=0.0.0.0 LOG_FORMAT=json
CMD ["OrderService"]
