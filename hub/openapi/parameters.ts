import { ref } from '../../http/api-docs/document.ts'
import { fileParameterComponents } from '../../http/api-docs/file-parameters.ts'
import { text } from './schema.ts'

/** Every parameter of the hub, by the name that operations refer to. */
export const parameterComponents = {
  ...fileParameterComponents,
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description:
      'Only that version is replaced or deleted; `*` for whatever is there. With or without quotes.',
    schema: text,
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: '`*`: only where nothing is.',
    // No `const`: a page that tries requests would send it unasked.
    schema: { type: 'string', pattern: '^\\*$' },
    example: '*',
  },
  Ucans: {
    name: 'ucans',
    in: 'header',
    description: 'Proofs that the UCAN names by CID: `<cid>: <jwt>`, divided by commas.',
    schema: text,
  },
}

export const ifMatch = ref('parameters', 'IfMatch')
export const ifNoneMatch = ref('parameters', 'IfNoneMatch')
export const proofs = ref('parameters', 'Ucans')
