import { openApiDocument } from '../../http/api-docs/document.ts'
import { fileRoutes } from './files.ts'
import { infoRoutes } from './info.ts'
import { mandateRoutes } from './mandates.ts'
import { parameterComponents } from './parameters.ts'

/** What the hub answers, as OpenAPI 3.1. */
export const hubDocument = openApiDocument({
  title: 'Mandate hub',
  description:
    'The write side: every request becomes one authorized storage operation. Speaks the protocol of Gaia, and delegated writes by UCAN.',
  tags: [
    { name: 'hub', description: 'What this hub is.' },
    { name: 'files', description: 'Storing, deleting and listing.' },
    { name: 'mandates', description: 'Handing out the right to write, and taking it back.' },
  ],
  paths: { ...infoRoutes.paths, ...fileRoutes.paths, ...mandateRoutes.paths },
  schemas: { ...infoRoutes.schemas, ...fileRoutes.schemas, ...mandateRoutes.schemas },
  parameters: parameterComponents,
  securitySchemes: {
    bearer: {
      type: 'http',
      scheme: 'bearer',
      description:
        "`v1:<jwt>`, Gaia's token; `ucan:<jwt>`, an invocation; or the base64 JSON of a legacy token.",
    },
  },
})
