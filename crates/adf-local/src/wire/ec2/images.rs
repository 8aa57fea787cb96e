//! `DescribeImages`.

use winterbaume_ec2_generated::{model as wire, wire as form};

use super::instance;
use crate::model::{ApiError, Image};
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed, stamp};

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_images_request(&request.params).map_err(malformed)?;
    let account = request.model.settings().account.clone();
    let mut found: Vec<&Image> = request.model.images().iter().collect();
    if let Some(ids) = input.image_ids.map(|ids| ids.items) {
        if let Some(id) = ids.iter().find(|id| !found.iter().any(|image| image.id == **id)) {
            let text = format!("The image id '[{id}]' does not exist");
            return Err(ApiError::new("InvalidAMIID.NotFound", text));
        }
        found.retain(|image| ids.contains(&image.id));
    }
    if let Some(owners) = input.owners.map(|owners| owners.items) {
        found.retain(|_| owners.iter().any(|owner| owner == "self" || *owner == account));
    }
    for filter in input.filters.map(|filters| filters.items).unwrap_or_default() {
        let (name, values) = super::filter(filter);
        found.retain(|image| match name.as_str() {
            "name" => values.contains(&image.name),
            "image-id" => values.contains(&image.id),
            "state" => values.iter().any(|state| state == "available"),
            "owner-id" => values.contains(&account),
            "architecture" => values.iter().any(|value| value == instance::architecture()),
            _ => false,
        });
    }
    let images = found.into_iter().map(|image| described(image, &account));
    let output = wire::DescribeImagesResult { images: Some(images.collect()), ..Default::default() };
    Ok(form::serialize_describe_images_response(&output))
}

fn described(image: &Image, account: &str) -> wire::Image {
    wire::Image {
        image_id: Some(image.id.clone()),
        name: Some(image.name.clone()),
        description: Some(image.description.clone()),
        image_location: Some(format!("{account}/{}", image.name)),
        owner_id: Some(account.to_owned()),
        creation_date: Some(stamp(image.created_at)),
        state: Some("available".to_owned()),
        image_type: Some("machine".to_owned()),
        architecture: Some(instance::architecture().to_owned()),
        imds_support: Some("v2.0".to_owned()),
        hypervisor: Some("xen".to_owned()),
        virtualization_type: Some("hvm".to_owned()),
        root_device_name: Some("/dev/xvda".to_owned()),
        root_device_type: Some("ebs".to_owned()),
        ena_support: Some(true),
        public: Some(false),
        ..Default::default()
    }
}
