# One image for all; FUNCTION_TARGET says what a container of it runs: publish, grpc, persist, query, prepare or source.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund && chmod a+w .
COPY bundle.ts licenses.ts tsconfig.json LICENSE ./
COPY adapters adapters
COPY core core
COPY domains domains
COPY functions functions
COPY local local
COPY main main
# Node keeps a compile cache for each user, so the one who runs the bundles makes it.
USER 65532:65532
RUN npm run bundle

# No shell, no package manager; glibc and libstdc++ are all that Node needs.
FROM gcr.io/distroless/cc-debian12:nonroot
# The Node that the tests ran on, and that has warmed the compile cache: another one would not take it.
COPY --from=build /app/node_modules/node/bin/node /usr/local/bin/node
COPY --from=build /app/dist /app/dist
WORKDIR /app
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/node"]
CMD ["/app/dist/serve.mjs"]
