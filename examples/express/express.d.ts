// What the shop's middleware and routes put on a request.

import 'express';

declare global {
  namespace Express {
    interface Request {
      id: string;
      user: { name: string };
      garbage?: unknown[];
    }
  }
}
