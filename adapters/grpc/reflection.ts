import type { PackageDefinition } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'

type Names = Record<string, unknown>

/** The reflection service, v1 and v1alpha, for clients such as grpcurl. */
export function reflectionOf(declared: PackageDefinition): ReflectionService {
  const service = new ReflectionService(declared)
  for (const { symbols, services } of Object.values(service) as { symbols: Names; services: Names }[]) {
    for (const names of [symbols, services]) removeLeadingDots(names)
  }
  return service
}

/** The library puts a dot before names that are in no package, and no client asks for such a name. */
function removeLeadingDots(names: Names): void {
  for (const name of Object.keys(names).filter((name) => name.startsWith('.'))) {
    names[name.slice(1)] = names[name]
    delete names[name]
  }
}
