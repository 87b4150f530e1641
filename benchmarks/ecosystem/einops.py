"""einops, whose module einops.array_api takes every array of the standard."""

from __future__ import annotations

from .case import Input, case

IMAGES = Input((2, 4, 6, 3))
POSITIVE = Input((2, 4, 6), 0.5, 1.5)

CASES = [
    case(
        "einops.array_api.rearrange",
        IMAGES,
        call=lambda f, x: f(x, "b (h s) w c -> b h (w c) s", s=2),
    ),
    case("einops.array_api.repeat", IMAGES, call=lambda f, x: f(x, "b h w c -> b (h 2) w c")),
    *[
        case(
            "einops.array_api.reduce",
            POSITIVE,
            call=lambda f, x: [
                f(x, "b (h s) w -> b h w", how, s=2) for how in ("sum", "mean", "prod")
            ],
        )
    ],
    case("einops.array_api.pack", IMAGES, POSITIVE, call=lambda f, x, y: f([x, y], "b h w *")[0]),
    case("einops.array_api.unpack", IMAGES, call=lambda f, x: f(x, [(1,), (2,)], "b h w *")),
    case("einops.rearrange", IMAGES, call=lambda f, x: f(x, "b h w c -> b (h w) c")),
    case("einops.reduce", IMAGES, call=lambda f, x: f(x, "b h w c -> b c", "mean")),
    case("einops.repeat", IMAGES, call=lambda f, x: f(x, "b h w c -> b h w c 2")),
    case(
        "einops.einsum",
        Input((2, 3)),
        Input((3, 4)),
        call=lambda f, x, y: f(x, y, "i j, j k -> i k"),
    ),
]
