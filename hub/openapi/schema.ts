/** Schemas that others are made of. */
export const text = { type: 'string' }
export const textOrNull = { type: ['string', 'null'] }
export const wholeNumber = { type: 'integer', minimum: 0 }
