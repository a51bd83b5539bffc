export { type ApiDocumentsOptions, apiDocuments } from "./express/api-documents.ts";
export { type ApiInventory, apiInventory } from "./express/api-inventory.ts";
export { observePas } from "./express/observe-pas.ts";
