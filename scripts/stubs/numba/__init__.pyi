# A compiled function keeps the signature it was written with. (numba's own annotations refuse
# options given as a dictionary, and turn the bare decorator into a wrapper.)
from collections.abc import Callable
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])

@overload
def njit(function: F, /) -> F: ...
@overload
def njit(*signatures: Any, **options: Any) -> Callable[[F], F]: ...

prange = range

def __getattr__(name: str) -> Any: ...
