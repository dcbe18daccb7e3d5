# One image for all functions. FUNCTION_TARGET selects what a container runs: publish, grpc, persist, query or prepare.
# The last stage is the image for a cluster. `--target laptop` adds the stand-in for KafkaSources, which compose.yaml runs.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY main/node main/node
RUN bash main/node/install.sh && chmod a+w . && cp -L node_modules/.bin/node node
COPY bundle.ts licenses.ts tsconfig.json LICENSE ./
COPY adapters adapters
COPY core core
COPY domains domains
COPY functions functions
COPY main main
# Node has a compile cache for each user, so the user who runs the bundles makes it.
USER 65532:65532
RUN npm run bundle

FROM build AS build-laptop
COPY local local
RUN npm run bundle -- source

# This base has no shell and no package manager. glibc and libstdc++ are all that Node needs.
FROM gcr.io/distroless/cc-debian12:nonroot AS runtime
# The tests ran on this Node, and it made the compile cache. Another Node would not use the cache.
COPY --from=build /app/node /usr/local/bin/node
WORKDIR /app
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/node"]
CMD ["/app/dist/serve.mjs"]

FROM runtime AS laptop
COPY --from=build-laptop /app/dist /app/dist

FROM runtime
COPY --from=build /app/dist /app/dist
