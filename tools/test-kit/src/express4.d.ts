/** Express 4, installed beside Express 5 under another name; the types of 5 cover what the tests use of both. */
declare module "express4" {
  import express from "express";
  export default express;
}
