"""The framework that every service of the emulator is written in.

How to add a service (see `emulator/vpc` for one):

1. `models.py`: resources are `Resource` subclasses (pydantic; set `kind`, add fields with defaults). A
   `State` subclass holds them in `Table[...]` fields and is both the service's section of a world file and
   its running state; its `resolve(world)` turns names into ids and refuses what cannot exist.
2. `backend.py`: a class, built with the `Account`, that has the rules as plain methods; other services call
   them as `account.<service>.<method>`. New resources come from `account.add(...)`, passing statuses from
   `account.lag(...)`.
3. `errors.py`: one class with the methods of `ErrorForm`, and a function for each further refusal; all give
   `ApiError` in the service's own envelope.
4. `responses.py`: one plain function for each call. It gets what its signature names: `account`,
   `project_id` (of the token, already compared with the path), `token`, `request`, path parameters as
   `str`, `content` (the body as bytes), and `body` and `query` as the `Strict` models that annotate them. A call
   without a `query` model refuses every parameter, a POST, PUT or PATCH without `body` or `content` refuses a body; a
   field unknown to the model, or of another JSON type, is refused in the service's words. It returns an
   `Answer` (`ok`, `created`, `no_content`) and reads tables through `owned(...)` and `seen(...)`, which
   applies eventual consistency. Check before you change: a refused call must leave no trace. What takes its
   time is a `Later`, which the door resolves without the lock.
5. `urls.py`: the table `ROUTES` of `Route(service, method, path, handler, action)`.
6. Name the state in `World`, the backend in `Account`, the routes in `Emulator`.

All of it runs under the emulator's lock. Time comes from `account.now()`, ids from `account.new_id(...)`. What the
cloud does by itself is put into `account.outbox`, and takes `account.lock` where it needs it.
"""
