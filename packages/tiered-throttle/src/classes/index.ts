export { type ClassBounds, classesOf, classify, OPERATION_CLASSES, type OperationClass } from "./classify.ts";
