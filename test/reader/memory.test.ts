import { memoryDriver } from '../../drivers/memory.ts'
import { readerAnswers } from './answers.ts'

readerAnswers('the memory driver', async () => {
  const driver = memoryDriver()
  return { driver, dispose: () => driver.close() }
})
