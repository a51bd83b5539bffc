export { type FieldCipherOptions, fieldCipher } from "./cipher.ts";
export { decryptFields, type FieldRights } from "./decrypt.ts";
export {
  DATA_ABSENT_REASON,
  ENCRYPTED_FIELD,
  type FieldCipher,
  type FieldCiphertext,
  type FieldPlace,
} from "./field.ts";
export { type AwsKmsClient, type AwsKmsKeysOptions, awsKmsKeys } from "./keys/aws-kms.ts";
export { type LocalKeyRing, type LocalKeyRingOptions, localKeyRing } from "./keys/local-key-ring.ts";
export { type RememberedKeysOptions, rememberedKeys } from "./keys/remembered.ts";
export {
  type VaultClient,
  type VaultHttpClientOptions,
  type VaultTransitKeysOptions,
  vaultHttpClient,
  vaultTransitKeys,
} from "./keys/vault-transit.ts";
