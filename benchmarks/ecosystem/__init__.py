"""Code that strangers wrote to the Array API standard, called with isograd's Tensors.

`python -m isograd.benchmarks.ecosystem` says of each function of SciPy, scikit-learn,
array-api-extra and einops in its tables whether it takes Tensors and gives right gradients.
"""
