import type { PackageDefinition } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'

type Names = Record<string, unknown>

/** Tells clients such as grpcurl which services there are and how they are called, v1 and v1alpha. */
export function reflectionOf(declared: PackageDefinition): ReflectionService {
  const service = new ReflectionService(declared)
  for (const { symbols, services } of Object.values(service) as { symbols: Names; services: Names }[]) {
    for (const names of [symbols, services]) undot(names)
  }
  return service
}

/** The library puts a dot before the names of what is in no package, by which no client asks for it. */
function undot(names: Names): void {
  for (const name of Object.keys(names).filter((name) => name.startsWith('.'))) {
    names[name.slice(1)] = names[name]
    delete names[name]
  }
}
