#!/bin/sh
# The steps of an interferogram one by one, on this machine.
#
#     examples/steps.sh REFERENCE SECONDARY DEM SWATH OUTPUT
#
# Every command is an example by itself; all its options: python -m processes describe NAME
set -eu
reference=$1 secondary=$2 dem=$3 swath=$4 output=$5
run="${PYTHON:-.venv/bin/python} -m processes run"

$run sar-doppler0 --image "$reference" --swath "$swath" --output "$output/doppler"
$run sar-multilook --image "$reference" --swath "$swath" \
    --azimuth-looks 3 --range-looks 3 --gain 0.1 --output "$output/multilook"
$run sar-dem-projection --image "$reference" --swath "$swath" --dem "$dem" \
    --cartesian true --output "$output/projection"
$run sar-dem-to-amplitude --image "$reference" --swath "$swath" --dem "$dem" \
    --azimuth-looks 4 --range-looks 16 --output "$output/simulated"
$run sar-deformation-grid --reference "$reference" --secondary "$secondary" --swath "$swath" \
    --dem "$dem" --output "$output/grid"
$run sar-coregistration --secondary "$secondary" --grid "$output/grid/grid.zip" \
    --output "$output/image"
$run sar-interferogram --reference "$reference" --grid "$output/grid/grid.zip" \
    --coregistered "$output/image/coregistered.tif" --azimuth-looks 2 --range-looks 8 \
    --output "$output/interferogram"
$run sar-deramp --raster "$output/image/coregistered.tif" --grid "$output/grid/grid.zip" \
    --direction reramp --output "$output/reramped"
$run sar-height-of-ambiguity --reference "$reference" --secondary "$secondary" --swath "$swath" \
    --output "$output/ambiguity"
$run quick-look -in "$output/image/coregistered.tif" -ml 8x2 --output "$output/view"
