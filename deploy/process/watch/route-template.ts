const withPath = ['store', 'upload', 'delete']
const withAddress = ['list-files', 'revoke-all', 'grant', 'list-grants', 'revoke']

const templates: ReadonlyMap<string, string> = new Map([
  ...withPath.map((route) => [route, `/${route}/{address}/{path}`] as const),
  ...withAddress.map((route) => [route, `/${route}/{address}`] as const),
  ['hub_info', '/hub_info'],
  ['read', '/{address}/{path}'],
  ['healthz', '/healthz'],
  ['readyz', '/readyz'],
  ['openapi', '/openapi.json'],
  ['docs', '/docs'],
])

/** The paths that a route takes, as OpenAPI writes them; by the name that the route has in log and metrics. */
export function routeTemplate(route: string): string | undefined {
  return templates.get(route)
}
