declare module "virtual:routes" {
  /** Method, path below `/api/v1`, and who may call it, by route name. */
  export const routes: Readonly<
    Record<
      string,
      readonly ["GET" | "POST" | "PUT" | "DELETE", string, "public" | "viewer" | "operator" | "administrator"]
    >
  >;
}

declare module "*.css";
