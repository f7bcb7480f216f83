import { ref } from './document.ts'

export const exampleAddress = '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'

/** How hub and reader find in a URL which file is meant: components of both descriptions. */
export const fileParameterComponents = {
  Address: {
    name: 'address',
    in: 'path',
    required: true,
    description: 'Whose files: a `1…` address, or the identifier of a `did:key` (`z…`).',
    schema: { type: 'string', pattern: '^[a-zA-Z0-9]+$' },
    example: exampleAddress,
  },
  Path: {
    name: 'path',
    in: 'path',
    required: true,
    description: 'The name of the file, percent-encoded; it may hold slashes.',
    schema: { type: 'string', minLength: 1 },
    example: 'notes/hello.txt',
  },
}

export const addressParameter = ref('parameters', 'Address')
export const fileParameters = [addressParameter, ref('parameters', 'Path')]
