import type { DatabaseConnection, Dialect, Driver } from "kysely";
import { asStoreError } from "./store-error.ts";

async function named<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw asStoreError(error);
  }
}

/** A dialect whose every failure is a `StoreError` where the database, and not a query, is at fault. */
export function withStoreErrors(inner: Dialect): Dialect {
  return {
    createAdapter: () => inner.createAdapter(),
    createQueryCompiler: () => inner.createQueryCompiler(),
    createIntrospector: (db) => inner.createIntrospector(db),
    createDriver: () => watch(inner.createDriver()),
  };
}

/** The driver knows its connections by identity, so both are changed in place instead of wrapped. */
function watch(driver: Driver): Driver {
  const watched = new WeakSet<DatabaseConnection>();
  const acquire = driver.acquireConnection.bind(driver);
  driver.acquireConnection = async (options) => {
    const connection = await named(acquire(options));
    if (!watched.has(connection)) {
      watched.add(connection);
      const execute = connection.executeQuery.bind(connection);
      connection.executeQuery = (query, options) => named(execute(query, options));
    }
    return connection;
  };
  return driver;
}
