"""How a run is executed: batches of rows in, whole keys together, sessions in one order out."""
