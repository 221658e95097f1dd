#!/bin/sh
# DiapOTB's two example calls of SAR_MultiSlc over La Reunion, June to September 2016, on this machine.
#
#     examples/multislc_reunion.sh INPUT_PATH HGTS OUTPUT [OPTIONS]
#
# INPUT_PATH holds the SLC products at any depth, HGTS the SRTM tiles; options, for example --dry-run, go
# to both. The master of a call is the name
# of its image, with or without path and ending, or its day; without one it is chosen:
#
#     MASTER_S4=s1a-s4-slc-vv-20160818t014650-20160818t014715-012648-013db1-002.tiff \
#         examples/multislc_reunion.sh ...
#
# What each option of the original has become: docs/coming_from_diapotb.md
set -eu
input_path=$1 hgts=$2 output=$3
shift 3
run="${PYTHON:-.venv/bin/python} -m processes run multislc-series"

# start and end date, upper left and lower right corner (ulx,uly,lrx,lry), and what the original does
# unless told otherwise: looks 3 x 3, maps of 0.0001 degrees, interferograms, light version, 4000 MB
both="--first-day 20160601 --last-day 20160930 --roi=55.2,-20.85,55.85,-21.4 --polarisation VV
    --azimuth-looks 3 --range-looks 3 --ortho geographic --spacing 0.0001
    --interferograms true --light true --memory-mb 4000
    --correlation-threshold 0.3 --correlation-gap 0.7 --gain 0.1"

for beam in S6 S4; do
    eval "master=\${MASTER_$beam:-}"
    # shellcheck disable=SC2086
    $run $both --swaths "$beam" ${master:+--reference "$master"} \
        --products "$input_path" --dem "$hgts" --dem-missing sea \
        --output "$output/$beam" --store "$output/store" "$@"
done
